"""The layers of a serving graph by what they do, to decide which may be computed in 8 bits."""

from collections.abc import Collection, Mapping

import onnx

from fer_gateway.contract import LOGITS_NAME
from fer_training.errors import QuantisationError
from fer_training.release.layer_kinds import (
    ATTENTION,
    DEPTHWISE,
    HEAD,
    KINDS,
    LINEAR,
    NORM,
    POINTWISE,
    POOLING,
    STEM,
    SUMS,
)

_SHAPES_ONLY = frozenset({"Shape", "Reshape", "Transpose", "Slice", "Squeeze", "Concat", "Gather", "Expand"})

_BY_TYPE: Mapping[str, str] = {
    "LayerNormalization": NORM, "Softmax": ATTENTION, "ReduceMean": POOLING, "Add": SUMS, "Mul": SUMS,
}  # fmt: skip


def layers_by_kind(graph: onnx.GraphProto) -> dict[str, tuple[str, ...]]:
    """Names of the nodes of each of `KINDS`.

    An activation belongs to the layer before it. Nodes that only move values belong to none, nor does
    anything before the first convolution (cast, normalisation) or after the logits (temperature, softmax).

    Raises:
        QuantisationError: a graph without convolutions, or a node without a name or of an unknown kind.
    """
    constants = {tensor.name for tensor in graph.initializer}
    kinds: dict[str, list[str]] = {name: [] for name in KINDS}
    kind_of: dict[str, str] = {}  # output -> kind of its node
    network = _network(graph)
    for node in network:
        if node.op_type in _SHAPES_ONLY:
            continue
        kind = _kind(node, kind_of, constants, first=not kinds[STEM])
        kinds[kind].append(node.name)
        kind_of.update(dict.fromkeys(node.output, kind))
    return {name: tuple(nodes) for name, nodes in kinds.items()}


def convolution_weights(graph: onnx.GraphProto, nodes: Collection[str]) -> tuple[str, ...]:
    """Names of the weights of the convolutions among some nodes."""
    return tuple(node.input[1] for node in graph.node if node.op_type == "Conv" and node.name in nodes)


def _network(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes between normalisation and temperature, in the order of the graph."""
    kinds = [node.op_type for node in graph.node]
    last = [index for index, node in enumerate(graph.node) if LOGITS_NAME in node.output]
    if "Conv" not in kinds or not last:
        raise QuantisationError("the graph has no convolution or no `logits`; export the model again")
    if not all(node.name for node in graph.node):
        raise QuantisationError("the graph has nodes without a name; export the model again")
    return list(graph.node)[kinds.index("Conv") : last[0] + 1]


def _kind(node: onnx.NodeProto, kind_of: dict[str, str], constants: set[str], *, first: bool) -> str:
    if node.op_type == "Conv":
        if first:
            return STEM
        groups = [attribute.i for attribute in node.attribute if attribute.name == "group"]
        return DEPTHWISE if groups and groups[0] > 1 else POINTWISE
    if node.op_type in ("MatMul", "Gemm"):
        if LOGITS_NAME in node.output:
            return HEAD
        return LINEAR if node.input[1] in constants else ATTENTION
    if node.op_type in ("Clip", "Relu"):
        return kind_of.get(node.input[0], SUMS)
    if node.op_type not in _BY_TYPE:
        raise QuantisationError(f"`{node.name}`: no kind of layer is known for `{node.op_type}`")
    return _BY_TYPE[node.op_type]
