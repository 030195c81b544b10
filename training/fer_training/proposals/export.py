"""The proposal graph that serving runs: evened pixels of any size in, scores and shifts out."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from fer_gateway.inference.proposals import (
    PIXELS_NAME,
    PROPOSAL_CARD_KEY,
    SCORES_NAME,
    SELF_TEST_PX,
    SHIFTS_NAME,
    ProposalCard,
)
from fer_gateway.inference.self_test import make_crops
from fer_gateway.vision.evened import evened
from fer_training.errors import ParityError
from fer_training.network.onnx_file import folded, stripped, with_half_weights, write_checked
from fer_training.proposals.network import ProposalNet

_TOLERANCE = 0.02
"""Logits; weights are stored in 16 bits."""

_OPSET = 18


def write_proposals(network: ProposalNet, card: ProposalCard, path: Path) -> None:
    """Export with the card inside; the file appears only after ONNX Runtime has answered like PyTorch.

    Raises:
        ParityError: scores differ by more than 0.02.
    """
    graph = folded(network)
    write_checked(
        with_half_weights(_exported(graph)), card, PROPOSAL_CARD_KEY, path, lambda file: _check(graph, file)
    )


def mean_scores(network: ProposalNet) -> tuple[float, float]:
    """The self-test: mean logits on the two generated crops."""
    with torch.inference_mode():
        scores, _ = network.eval()(_self_test_pixels())
    first, second = scores.mean(dim=(1, 2, 3)).tolist()
    return round(first, 5), round(second, 5)


def _self_test_pixels() -> torch.Tensor:
    crops = make_crops(SELF_TEST_PX)[..., 0]
    return torch.from_numpy(np.stack([evened(crop) for crop in crops])[:, None])


def _exported(graph: ProposalNet) -> onnx.ModelProto:
    height, width = (torch.export.Dim(name, min=16, max=1 << 14) for name in ("height", "width"))
    with warnings.catch_warnings():  # the exporter warns about its own internals
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (torch.zeros(1, 1, 150, 203),),
            dynamo=True,
            verbose=False,
            input_names=[PIXELS_NAME],
            output_names=[SCORES_NAME, SHIFTS_NAME],
            opset_version=_OPSET,
            dynamic_shapes={"pixels": {2: height, 3: width}},
        )
    assert program is not None  # noqa: S101, only without `dynamo`
    return stripped(program.model_proto)


def _check(graph: ProposalNet, path: Path) -> None:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for pixels in (*(one[None] for one in _self_test_pixels()), torch.randn(1, 1, 61, 87)):
        with torch.inference_mode():
            expected = graph(pixels)[0].numpy()
        answered = np.asarray(session.run([SCORES_NAME], {PIXELS_NAME: pixels.numpy()})[0])
        worst = float(np.abs(answered - expected).max())
        if not worst <= _TOLERANCE:
            raise ParityError(
                f"ONNX Runtime and PyTorch differ by {worst:.2g} logits, allowed are {_TOLERANCE:g}"
            )
