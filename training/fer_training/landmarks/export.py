"""The landmark network as an ONNX file: uint8 crops in, points and expected error out, weights in 16 bits."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from fer_gateway.contract import INPUT_NAME, LANDMARK_CARD_KEY, LandmarkCard
from fer_gateway.inference.landmarks import ERROR_NAME, POINTS_NAME
from fer_gateway.inference.self_test import make_crops
from fer_training.errors import ParityError
from fer_training.landmarks.network import LandmarkNet
from fer_training.network.graph import folded, stripped

_OPSET = 18
_TOLERANCE = 2e-3
"""Crop sides; weights are stored in 16 bits."""

_LEAST_HALVED = 64
"""Smaller tensors stay in 32 bits."""


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
        points, _ = LandmarkGraph(network.eval()).eval()(torch.from_numpy(crops))
    return np.asarray(points.double().numpy())


def write_landmarks(network: LandmarkNet, card: LandmarkCard, path: Path) -> None:
    """Export with the card inside; the file appears only after ONNX Runtime has answered like PyTorch.

    Raises:
        ParityError: points differ by more than 2e-3 crop sides.
    """
    graph = LandmarkGraph(network.eval()).eval()
    proto = _exported(graph)
    _halve_weights(proto)
    onnx.helper.set_model_props(proto, {LANDMARK_CARD_KEY: card.model_dump_json()})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    onnx.save(proto, partial)
    try:
        _check_parity(graph, partial)
    except ParityError:
        partial.unlink()
        raise
    partial.replace(path)


def _exported(graph: LandmarkGraph) -> onnx.ModelProto:
    crops = torch.from_numpy(make_crops(LandmarkNet.SIZE_PX))
    with warnings.catch_warnings():  # the exporter warns about its own internals
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (crops,),
            dynamo=True,
            verbose=False,
            input_names=[INPUT_NAME],
            output_names=[POINTS_NAME, ERROR_NAME],
            opset_version=_OPSET,
            dynamic_shapes={"crops": {0: torch.export.Dim("faces", min=1)}},
        )
    assert program is not None  # noqa: S101, only without `dynamo`
    return stripped(program.model_proto)


def _halve_weights(proto: onnx.ModelProto) -> None:
    """Store large weights in 16 bits, each followed by a cast that ONNX Runtime folds away when it loads."""
    casts = []
    for tensor in proto.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < _LEAST_HALVED:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        half = f"{name}.half"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    for cast in casts:
        proto.graph.node.insert(0, cast)
    for info in list(proto.graph.value_info):  # the shapes of the former initializers
        if any(info.name == cast.output[0] for cast in casts):
            proto.graph.value_info.remove(info)


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
