"""The proposal network: a few convolutions over a whole reduced picture, two sizes of faces a place."""

from torch import Tensor, nn

STRIDE = 4
"""Pixels of the reduced picture from one place to the next."""


class ProposalNet(nn.Module):
    """Evened pixels N x 1 x H x W -> scores N x 2 x h x w (logits) and shifts N x 6 x h x w.

    Each place sees 31 px: a face of 12 or 17 px and what surrounds it. A place answers for both sizes
    (`face_px`): whether there is one within a quarter of its side, and its offset (x, y, in sides) and log
    size.
    """

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        w = width
        self.features = nn.Sequential(
            _step(1, w, stride=2), _step(w, 2 * w, stride=2), _step(2 * w, 2 * w), _step(2 * w, 2 * w)
        )
        self.scores = nn.Conv2d(2 * w, 2, 1)
        self.shifts = nn.Conv2d(2 * w, 6, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """N x 1 x H x W -> N x 2 x ceil(H / 4) x ceil(W / 4) and N x 6 x the same."""
        features = self.features(pixels)
        return self.scores(features), self.shifts(features)


def _step(channels: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )
