"""The landmark network: a small plain CNN from a rough crop to five points and how far they may be off."""

import torch
from torch import Tensor, nn

POINTS = 5


class LandmarkNet(nn.Module):
    """Crops N x 1 x 48 x 48 -> points N x 5 x 2 (fractions of the crop) and expected error N.

    Convolutions of 3 x 3 down to 6 x 6 cells, whose features all see the whole face; one linear layer reads
    the points from the cells' places. The second head estimates the mean error of the points, in crop sides;
    its gradient ends at the features.
    """

    SIZE_PX = 48

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        w = width
        self.features = nn.Sequential(
            _step(1, w, stride=2),
            _step(w, 3 * w // 2),
            _step(3 * w // 2, 2 * w, stride=2),
            _Residual(2 * w),
            _step(2 * w, 4 * w, stride=2),
            _Residual(4 * w),
        )
        cells = (self.SIZE_PX // 8) ** 2
        self.squeeze = nn.Sequential(nn.Conv2d(4 * w, 2 * w, 1, bias=False), nn.BatchNorm2d(2 * w), nn.ReLU())
        self.points = nn.Linear(2 * w * cells, 2 * POINTS)
        self.error = nn.Sequential(nn.Linear(2 * w * cells, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (N x 1 x 48 x 48, any range) -> points N x 5 x 2, log of the expected error N."""
        mean = pixels.mean(dim=(2, 3), keepdim=True)
        deviation = (pixels - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()
        cells = self.squeeze(self.features((pixels - mean) / (deviation + 0.02))).flatten(1)
        points = 0.5 + 0.25 * self.points(cells).unflatten(1, (POINTS, 2))
        return points, self.error(cells.detach() if self.training else cells).squeeze(1) - 3


class _Residual(nn.Module):
    """x + conv(relu(conv(x))), then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _step(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


def _step(channels: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )
