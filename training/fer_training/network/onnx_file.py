"""ONNX files: a PyTorch module as a graph, the card in it, and writing only what was checked."""

import copy
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fer_gateway.contract import INPUT_NAME
from fer_gateway.inference.self_test import make_crops

Network = TypeVar("Network", bound=nn.Module)

_OPSET = 18

_LEAST_HALVED = 64
"""Values in a tensor; smaller ones stay in 32 bits."""


def exported(graph: nn.Module, size_px: int, outputs: Sequence[str]) -> onnx.ModelProto:
    """The ONNX graph of a module: crops N x `size_px` x `size_px` x 1, uint8, to `outputs`; N is free."""
    with warnings.catch_warnings():  # the exporter warns about its own internals
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (torch.from_numpy(make_crops(size_px)),),
            dynamo=True,
            verbose=False,
            input_names=[INPUT_NAME],
            output_names=list(outputs),
            opset_version=_OPSET,
            dynamic_shapes={"crops": {0: torch.export.Dim("faces", min=1)}},
        )
    assert program is not None  # noqa: S101, only without `dynamo`
    return stripped(program.model_proto)


def stripped(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph without the notes of its makers: call stacks and file names of their machine."""
    graph = proto.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    onnx.checker.check_model(proto)
    return proto


def folded(model: Network) -> Network:
    """A copy in evaluation mode with batch normalisation folded into the convolutions before it."""
    model = copy.deepcopy(model).eval()  # before: fusing needs it; after: new modules start in training mode
    for module in model.modules():
        if not isinstance(module, nn.Sequential) or len(module) < 2:
            continue
        convolution, norm = module[0], module[1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            module[0], module[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return model.eval()


def with_half_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with its large weights in 16 bits, each cast back to 32.

    The arithmetic stays in 32 bits: ONNX Runtime folds the casts away when it loads the file.
    """
    halved = onnx.ModelProto()
    halved.CopyFrom(proto)
    casts = []
    for tensor in halved.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < _LEAST_HALVED:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        half = f"{name}.half"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], f"{name}.cast", to=TensorProto.FLOAT))
    for cast in casts:
        halved.graph.node.insert(0, cast)
    names = {cast.output[0] for cast in casts}
    for info in list(halved.graph.value_info):  # the shapes of the former initializers
        if info.name in names:
            halved.graph.value_info.remove(info)
    return halved


def with_whole_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with the weights of `with_half_weights` in 32 bits again, without casts."""
    whole = onnx.ModelProto()
    whole.CopyFrom(proto)
    graph = whole.graph
    halves = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    for cast in [node for node in graph.node if node.op_type == "Cast" and node.input[0] in halves]:
        tensor = halves[cast.input[0]]
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, cast.output[0]))
        graph.node.remove(cast)
    return whole


def write_checked(
    proto: onnx.ModelProto, card: BaseModel, key: str, path: Path, check: Callable[[Path], object]
) -> None:
    """Write a graph with its card under `key`; where `check` raises, nothing is written or replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        onnx.save(_with_card(proto, card, key), partial)
        check(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def copy_into_place(path: Path, out: Path) -> None:
    """Let a copy of a finished file appear at `out` in one step; its folder is made where it is missing."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    shutil.copyfile(path, partial)
    partial.replace(out)


def rewrite_card(path: Path, card: BaseModel, key: str) -> None:
    """Replace the card of a model under `key`; weights, graph and other metadata stay as they are."""
    partial = path.with_suffix(".partial")
    onnx.save(_with_card(onnx.load(path), card, key), partial)
    partial.replace(path)


def _with_card(proto: onnx.ModelProto, card: BaseModel, key: str) -> onnx.ModelProto:
    others = {entry.key: entry.value for entry in proto.metadata_props if entry.key != key}
    onnx.helper.set_model_props(proto, {**others, key: card.model_dump_json()})
    return proto
