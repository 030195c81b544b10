"""Static quantisation of some nodes of a graph."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)

from fer_gateway.contract import INPUT_NAME
from fer_training.network.onnx_file import stripped

_BATCH = 50


class _Crops(CalibrationDataReader):  # type: ignore[misc]
    """Hands crops N x S x S x 1 to the calibration, batch by batch."""

    def __init__(self, crops: NDArray[np.uint8]) -> None:
        self._batches = iter([crops[at : at + _BATCH] for at in range(0, len(crops), _BATCH)])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next batch; None after the last, as its base class asks for."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT_NAME: batch}


def in_eight_bits(
    proto: onnx.ModelProto,
    crops: NDArray[np.uint8],
    nodes: Sequence[str],
    whole_weights: Sequence[str] = (),
) -> onnx.ModelProto:
    """The graph with `nodes` in 8 bits, as QuantizeLinear and DequantizeLinear about them.

    Ranges of activations are the least and greatest values over the calibration crops (N x S x S x 1), so
    that no answer depends on other faces of its batch. Weights have a scale for each output channel and take
    7 of the 8 bits, those named in `whole_weights` all 8: processors without VNNI add pairs of products in 16
    bits, which 2 x 255 x 127 would overflow and 2 x 255 x 64 does not.
    """
    eight_bits = {"axis": 0, "quant_type": QuantType.QInt8, "symmetric": True, "reduce_range": False}
    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared, out = Path(folder) / "prepared.onnx", Path(folder) / "quantised.onnx"
        quant_pre_process(proto, prepared, skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            out,
            _Crops(crops),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=list(nodes),
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": {name: [eight_bits] for name in whole_weights}},
        )
        result = onnx.load(out)
    del result.metadata_props[:]  # notes of the quantiser
    result.producer_name, result.producer_version = proto.producer_name, proto.producer_version
    return stripped(result)


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser advises through the root logger, on what is decided here."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
