"""The serving graph: uint8 crops in, probabilities and logits out, nothing left for a caller to get wrong."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fer_gateway.contract import (
    CARD_KEY,
    INPUT_NAME,
    LOGITS_NAME,
    PROBABILITIES_NAME,
    ModelCard,
    Normalisation,
)
from fer_gateway.inference.self_test import make_crops
from fer_training.errors import ParityError
from fer_training.network import onnx_file
from fer_training.network.model import Hybrid

NORMALISATION = Normalisation(divisor=127.5, shift=-1.0)

_TOLERANCE = 1e-4

_BATCH_TOLERANCE = 1e-5


class ServingGraph(nn.Module):
    """Cast, normalise to [-1, 1], network, temperature and softmax (12) around a `Hybrid`."""

    def __init__(self, model: Hybrid, temperature: float) -> None:
        super().__init__()
        self.network = onnx_file.folded(model)
        self.temperature = temperature

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Crops N x S x S x 1 uint8 -> probabilities and logits, both N x K."""
        pixels = crops.permute(0, 3, 1, 2).float() / NORMALISATION.divisor + NORMALISATION.shift
        logits = self.network(pixels)
        return (logits / self.temperature).softmax(dim=1), logits


def self_test_probabilities(model: Hybrid, temperature: float) -> NDArray[np.float64]:
    """What the model answers to the self-test crops, 2 x K, in PyTorch."""
    crops = torch.from_numpy(make_crops(model.config.image_size))
    with torch.inference_mode():
        probabilities = ServingGraph(model, temperature).eval()(crops)[0]
    return np.asarray(probabilities.double().numpy())


def write_graph(model: Hybrid, card: ModelCard, path: Path) -> None:
    """Export with the card inside, and check that ONNX Runtime answers like PyTorch.

    The file appears under its name only after the check.

    Raises:
        ParityError: see `check_parity`.
    """
    graph, size_px = ServingGraph(model, card.temperature).eval(), card.face.size_px
    proto = onnx_file.exported(graph, size_px, (PROBABILITIES_NAME, LOGITS_NAME))
    onnx_file.write_checked(
        proto, card, CARD_KEY, path, lambda written: check_parity(graph, written, size_px)
    )


def rewrite_card(path: Path, card: ModelCard) -> None:
    """Replace the card of an exported model; weights and graph stay as they are."""
    onnx_file.rewrite_card(path, card, CARD_KEY)


def check_parity(graph: ServingGraph, path: Path, size_px: int) -> float:
    """The largest difference in probability between PyTorch and ONNX Runtime.

    Raises:
        ParityError: it is more than 1e-4, or a face's answer depends on its batch by more than 1e-5.
    """
    random = np.random.default_rng(0)
    crops = np.concatenate(
        [make_crops(size_px), random.integers(0, 256, (6, size_px, size_px, 1), dtype=np.uint8)]
    )
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = graph(torch.from_numpy(crops))[0].numpy()
    batch = session.run([PROBABILITIES_NAME], {INPUT_NAME: crops})[0]
    worst = float(np.abs(batch - expected).max())
    if not worst <= _TOLERANCE:
        raise ParityError(
            f"ONNX Runtime and PyTorch differ by {worst:.2g} in probability, allowed are {_TOLERANCE:g}"
        )
    check_batches(session, crops)
    return worst


def check_batches(session: ort.InferenceSession, crops: NDArray[np.uint8]) -> float:
    """The largest difference between a face's probabilities alone and in batches: crops N x S x S x 1.

    Some published models let the faces of a batch see each other, and score well only because of that.

    Raises:
        ParityError: it is more than 1e-5.
    """

    def answers(size: int) -> NDArray[np.float32]:
        starts = range(0, len(crops), size)
        parts = [session.run([PROBABILITIES_NAME], {INPUT_NAME: crops[at : at + size]})[0] for at in starts]
        return np.concatenate(parts)

    alone = answers(1)
    worst = max(float(np.abs(answers(size) - alone).max()) for size in (2, 3, 8, len(crops)))
    if not worst <= _BATCH_TOLERANCE:
        raise ParityError(
            f"a face's answer depends on its batch: probabilities alone and among others differ by "
            f"{worst:.2g}, allowed are {_BATCH_TOLERANCE:g}"
        )
    return worst
