"""The landmark graph that serving runs: uint8 crops in, points and expected error out; in float or int8."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fer_gateway.contract import INPUT_NAME, LANDMARK_CARD_KEY, LandmarkCard, LandmarkSelfTest
from fer_gateway.inference.landmarks import ERROR_NAME, POINTS_NAME, LandmarkModel
from fer_gateway.inference.providers import open_session
from fer_gateway.inference.self_test import make_crops
from fer_training.errors import ParityError
from fer_training.landmarks.data import PointedFaces
from fer_training.landmarks.measure import TEST_JITTER, locate_all
from fer_training.landmarks.network import LandmarkNet
from fer_training.network.eight_bits import in_eight_bits
from fer_training.network.onnx_file import (
    exported,
    folded,
    rewrite_card,
    with_half_weights,
    with_whole_weights,
    write_checked,
)

_TOLERANCE = 2e-3
"""Crop sides; weights are stored in 16 bits."""

INT8_TOLERANCE = 0.02
"""Of the self-test, in crop sides: kernels round in another order."""


class LandmarkGraph(nn.Module):
    """Cast and normalisation around a `LandmarkNet`."""

    def __init__(self, network: LandmarkNet) -> None:
        super().__init__()
        self.network = folded(network)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Crops N x S x S x 1 uint8 -> points N x 5 x 2 and expected error N, in crop sides."""
        points, log_error = self.network(crops.permute(0, 3, 1, 2).float() / 127.5 - 1)
        return points, log_error.exp()


def graph_points(network: LandmarkNet, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Points (N x 5 x 2) that PyTorch gives for crops N x S x S x 1."""
    with torch.inference_mode():
        points, _ = LandmarkGraph(network).eval()(torch.from_numpy(crops))
    return np.asarray(points.double().numpy())


def write_landmarks(network: LandmarkNet, card: LandmarkCard, path: Path) -> None:
    """Export with the card inside; the file appears only after ONNX Runtime has answered like PyTorch.

    Raises:
        ParityError: points differ by more than 2e-3 crop sides.
    """
    graph = LandmarkGraph(network).eval()
    proto = with_half_weights(exported(graph, LandmarkNet.SIZE_PX, (POINTS_NAME, ERROR_NAME)))
    write_checked(proto, card, LANDMARK_CARD_KEY, path, lambda written: _check_parity(graph, written))


class _Looks(LandmarkModel):
    """Keeps the crops of all its looks."""

    def __init__(self, session: ort.InferenceSession, card: LandmarkCard) -> None:
        super().__init__(session, card)
        self.crops: list[NDArray[np.uint8]] = []

    def run(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Answer as ever."""
        self.crops.append(np.array(crops))
        return super().run(crops)


def write_int8(trained: Path, faces: PointedFaces, out: Path) -> None:
    """Write an exported model with its convolutions in int8; nothing is measured anew.

    The first, which sees the pixels, and the last, from whose cells the points are read, stay in float: so
    the mean error grows by 0.5 %, with the first alone in float by 1.0 %, in the same time. Ranges of
    activations come from all looks at `faces`; for weights see `in_eight_bits`.
    """
    looks = _Looks.open(trained)
    looks.crops.clear()  # those of the self-test
    locate_all(looks, faces, TEST_JITTER, seed=1)
    proto = with_whole_weights(onnx.load(trained))
    convolutions = [node.name for node in proto.graph.node if node.op_type == "Conv"]
    proto = in_eight_bits(proto, np.concatenate(looks.crops), convolutions[1:-1])
    card = looks.card.model_copy(update={"precision": "int8", "errors": ()})
    write_checked(proto, card, LANDMARK_CARD_KEY, out, lambda _: None)
    answered, _ = LandmarkModel(open_session(out), card).run(make_crops(card.size_px))
    self_test = LandmarkSelfTest(points=rounded(answered), tolerance=INT8_TOLERANCE)
    rewrite_card(out, card.model_copy(update={"self_test": self_test}), LANDMARK_CARD_KEY)


def rounded(points: NDArray[np.float64]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Points N x 5 x 2 as a card holds them."""
    return tuple(tuple((round(x, 5), round(y, 5)) for x, y in face) for face in points.tolist())


def _check_parity(graph: LandmarkGraph, path: Path) -> None:
    random = np.random.default_rng(0)
    size = LandmarkNet.SIZE_PX
    crops = np.concatenate([make_crops(size), random.integers(0, 256, (6, size, size, 1), dtype=np.uint8)])
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = graph(torch.from_numpy(crops))[0].numpy()
    answered = np.asarray(session.run([POINTS_NAME], {INPUT_NAME: crops})[0])
    worst = float(np.abs(answered - expected).max())
    if not worst <= _TOLERANCE:
        raise ParityError(
            f"ONNX Runtime and PyTorch differ by {worst:.2g} crop sides, allowed are {_TOLERANCE:g}"
        )
