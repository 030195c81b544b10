"""The shipped graph in fewer bits: int8 by static quantisation, or weights of 16 bits."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from fer_gateway.contract import CARD_KEY, ModelCard, Precision, SelfTest
from fer_gateway.inference.model import EmotionModel
from fer_gateway.inference.self_test import make_crops
from fer_training.errors import QuantisationError
from fer_training.network.eight_bits import in_eight_bits
from fer_training.network.onnx_file import rewrite_card, with_half_weights, write_checked
from fer_training.release.layer_kinds import DEPTHWISE, IN_FLOAT
from fer_training.release.layers import convolution_weights, layers_by_kind

INT8_TOLERANCE = 0.05
"""Of the self-test. Kernels that round in another order move a face's probability by up to 0.03."""

FLOAT16_TOLERANCE = 0.02


def quantised(
    proto: onnx.ModelProto, crops: NDArray[np.uint8], in_float: Collection[str] = IN_FLOAT
) -> onnx.ModelProto:
    """The graph with its layers but those `in_float` in 8 bits, see `in_eight_bits`.

    Depthwise kernels add in 32 bits, so that their weights may take all 8.

    Raises:
        QuantisationError: nothing is left to quantise; and see `layers_by_kind`.
    """
    layers = layers_by_kind(proto.graph)
    chosen = [name for kind, nodes in layers.items() if kind not in in_float for name in nodes]
    if not chosen:  # the quantiser would take an empty list for all
        raise QuantisationError("every layer is left in float; leave fewer kinds out (`--float`)")
    depthwise = () if DEPTHWISE in in_float else convolution_weights(proto.graph, layers[DEPTHWISE])
    return in_eight_bits(proto, crops, chosen, depthwise)


def write_variant(
    model: Path,
    out: Path,
    precision: Precision,
    crops: NDArray[np.uint8],
    in_float: Collection[str] = IN_FLOAT,
) -> ModelCard:
    """Write the model in another precision, its card with a self-test of its own and nothing measured yet.

    Args:
        model: an exported model in float32.
        out: the file to write.
        precision: `int8` or `float16`; `float32` copies the graph.
        crops: N x S x S x 1, for the ranges of int8.
        in_float: kinds of layers that int8 leaves alone.

    Raises:
        QuantisationError: see `quantised`.
    """
    card = EmotionModel.open(model).card
    unmeasured = {"evaluations": (), "end_to_end": None, "robustness": None, "variants": ()}
    card = card.model_copy(update={"precision": precision, **unmeasured})
    proto = onnx.load(model)
    if precision == "int8":
        proto = quantised(proto, crops, in_float)
    elif precision == "float16":
        proto = with_half_weights(proto)
    write_checked(proto, card, CARD_KEY, out, EmotionModel.load)
    expected = EmotionModel.load(out).predict(make_crops(card.face.size_px)).astype(np.float64)
    self_test = SelfTest(
        probabilities=tuple(tuple(row) for row in np.round(expected, 6).tolist()),
        tolerance=INT8_TOLERANCE if precision == "int8" else FLOAT16_TOLERANCE,
    )
    card = card.model_copy(update={"self_test": self_test})
    rewrite_card(out, card, CARD_KEY)
    return card
