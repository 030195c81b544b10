"""The serving graph: uint8 crops in, probabilities and logits out, nothing left for a caller to get wrong."""

import copy
import warnings
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

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
from fer_training.network.model import Hybrid

NORMALISATION = Normalisation(divisor=127.5, shift=-1.0)

Network = TypeVar("Network", bound=nn.Module)

_OPSET = 18
_TOLERANCE = 1e-4


class ServingGraph(nn.Module):
    """Cast, normalise to [-1, 1], network, temperature and softmax (12) around a `Hybrid`."""

    def __init__(self, model: Hybrid, temperature: float) -> None:
        super().__init__()
        self.network = folded(model)
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
        probabilities = ServingGraph(model.eval(), temperature)(crops)[0]
    return np.asarray(probabilities.double().numpy())


def write_graph(model: Hybrid, card: ModelCard, path: Path) -> None:
    """Export with the card inside, and check that ONNX Runtime answers like PyTorch.

    The file appears under its name only after the check.

    Raises:
        ParityError: the two differ by more than 1e-4 in probability, or a face's answer depends on its batch.
    """
    graph = ServingGraph(model.eval(), card.temperature).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    proto = _exported(graph, card.face.size_px)
    onnx.helper.set_model_props(proto, {CARD_KEY: card.model_dump_json()})
    onnx.save(proto, partial)
    try:
        check_parity(graph, partial, card.face.size_px)
    except ParityError:
        partial.unlink()
        raise
    partial.replace(path)


def rewrite_card(path: Path, card: ModelCard) -> None:
    """Replace the card of an exported model; weights and graph stay as they are."""
    proto = onnx.load(path)
    others = {entry.key: entry.value for entry in proto.metadata_props if entry.key != CARD_KEY}
    onnx.helper.set_model_props(proto, {**others, CARD_KEY: card.model_dump_json()})
    partial = path.with_suffix(".partial")
    onnx.save(proto, partial)
    partial.replace(path)


def check_parity(graph: ServingGraph, path: Path, size_px: int) -> float:
    """The largest difference in probability between PyTorch and ONNX Runtime, alone and in a batch.

    Raises:
        ParityError: it is more than 1e-4.
    """
    random = np.random.default_rng(0)
    crops = np.concatenate(
        [make_crops(size_px), random.integers(0, 256, (6, size_px, size_px, 1), dtype=np.uint8)]
    )
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = graph(torch.from_numpy(crops))[0].numpy()
    batch = session.run([PROBABILITIES_NAME], {INPUT_NAME: crops})[0]
    alone = np.concatenate([session.run([PROBABILITIES_NAME], {INPUT_NAME: crop[None]})[0] for crop in crops])
    worst = max(float(np.abs(batch - expected).max()), float(np.abs(alone - expected).max()))
    if not worst <= _TOLERANCE:
        raise ParityError(
            f"ONNX Runtime and PyTorch differ by {worst:.2g} in probability, allowed are {_TOLERANCE:g}"
        )
    return worst


def _exported(graph: ServingGraph, size_px: int) -> onnx.ModelProto:
    crops = torch.from_numpy(make_crops(size_px))
    options: dict[str, Any] = {
        "input_names": [INPUT_NAME],
        "output_names": [PROBABILITIES_NAME, LOGITS_NAME],
        "opset_version": _OPSET,
        "dynamic_shapes": {"crops": {0: torch.export.Dim("faces", min=1)}},
    }
    with warnings.catch_warnings():  # the exporter warns about its own internals
        warnings.simplefilter("ignore")
        program = torch.onnx.export(graph, (crops,), dynamo=True, verbose=False, **options)
    assert program is not None  # noqa: S101, only without `dynamo`
    return stripped(program.model_proto)


def stripped(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph without the exporter's notes: call stacks and file names of the machine that made it."""
    graph = proto.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    onnx.checker.check_model(proto)
    return proto


def folded(model: Network) -> Network:
    """A copy with batch normalisation folded into the convolutions before it."""
    model = copy.deepcopy(model).eval()
    for module in model.modules():
        if not isinstance(module, nn.Sequential) or len(module) < 2:
            continue
        convolution, norm = module[0], module[1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            module[0], module[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return model
