"""The landmark graph that serving runs: uint8 crops in, points and expected error out; weights in 16 bits."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fer_gateway.contract import INPUT_NAME, LANDMARK_CARD_KEY, LandmarkCard
from fer_gateway.inference.landmarks import ERROR_NAME, POINTS_NAME
from fer_gateway.inference.self_test import make_crops
from fer_training.errors import ParityError
from fer_training.landmarks.network import LandmarkNet
from fer_training.network.onnx_file import exported, folded, with_half_weights, write_checked

_TOLERANCE = 2e-3
"""Crop sides; weights are stored in 16 bits."""


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
