"""Opening a model: the good one answers like numpy, each bad one is refused with its reason."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from fer_gateway.contract import EMOTIONS
from fer_gateway.errors import (
    GatewayError,
    InvalidModel,
    ModelNotFound,
    ProviderUnavailable,
    SelfTestFailed,
)
from fer_gateway.inference.model import MAX_BATCH, EmotionModel
from fer_gateway.inference.providers import open_session
from fer_gateway.inference.self_test import make_crops

FLAT = {"probabilities": [[0.125] * 8] * 2}
"""Answers that the tiny model does not give."""


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> EmotionModel:
    return EmotionModel.open(tiny_model)


def crops(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, 24, 24, 1), np.uint8)


def worked_out(path: Path, batch: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What the graph says, by numpy."""
    (weights,) = (
        onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(path).graph.initializer
        if tensor.name == "weights"
    )
    exponentials = np.exp((batch.reshape(len(batch), -1) / 127.5 - 1) @ weights / 1.5)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float64)


@pytest.mark.parametrize("count", [1, 2, 7, MAX_BATCH, MAX_BATCH + 1, 2 * MAX_BATCH + 3])
def test_probabilities(count: int, model: EmotionModel, tiny_model: Path) -> None:
    probabilities = model.predict(crops(count))
    assert probabilities.shape == (count, len(EMOTIONS))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, worked_out(tiny_model, crops(count)), atol=1e-5)


def test_no_face_is_no_run(model: EmotionModel) -> None:
    assert model.predict(crops(0)).shape == (0, len(EMOTIONS))


def test_threads_share_one_session(model: EmotionModel) -> None:
    start = threading.Barrier(4)

    def predict(count: int) -> NDArray[np.float32]:
        start.wait()
        return model.predict(crops(count))

    with ThreadPoolExecutor(4) as threads:
        for count, probabilities in zip((1, 2, 3, 4), threads.map(predict, (1, 2, 3, 4)), strict=True):
            np.testing.assert_array_equal(probabilities, model.predict(crops(count)))


def test_self_test_tells_the_difference(model: EmotionModel) -> None:
    assert model.self_test() < 1e-5


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="`--model`"):
        EmotionModel.open(tmp_path / "missing.onnx")


@pytest.mark.parametrize("content", [b"", b"hello, world", b"\x08\x09garbage" * 50])
def test_no_onnx(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(InvalidModel):
        EmotionModel.open(path)


def test_a_cut_file(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_model.read_bytes()[:-1000])
    with pytest.raises(InvalidModel):
        EmotionModel.open(path)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"with_card": False}, InvalidModel, "built.onnx` has no card"),
        ({"card": "not JSON"}, InvalidModel, "built.onnx`: its card is not valid"),
        ({"card": {"temperature": -1}}, InvalidModel, "`temperature`"),
        ({"card": {"format": "fer.card/99"}}, InvalidModel, "`format`"),
        (
            {"classes": 7, "card": {"self_test": FLAT}},
            InvalidModel,
            r"`tensor\(float\) N x 7` in the graph and `tensor\(float\) N x 8`",
        ),
        ({"batch": 1}, InvalidModel, "fixed batch size"),
        ({"output": "scores"}, InvalidModel, "no `probabilities`"),
        (
            {"card": {"self_test": FLAT}},
            SelfTestFailed,
            "answers differently on `CPUExecutionProvider`",
        ),
    ],
)
def test_a_model_that_breaks_its_promise(
    changes: dict[str, Any], error: type[GatewayError], message: str, build_model: Any
) -> None:
    with pytest.raises(error, match=message):
        EmotionModel.open(build_model(**changes))


def test_a_crop_size_that_is_not_the_graphs(build_model: Any, model: EmotionModel) -> None:
    face = model.card.face.model_dump() | {"size_px": 32}
    with pytest.raises(InvalidModel, match=r"N x 24 x 24 x 1` in the graph and .* N x 32 x 32 x 1"):
        EmotionModel.open(build_model(card={"face": face}))


def test_nan_fails_the_self_test(build_model: Any) -> None:
    path = build_model()
    graph = onnx.load(path)
    (weights,) = (tensor for tensor in graph.graph.initializer if tensor.name == "weights")
    broken = np.full_like(onnx.numpy_helper.to_array(weights), np.nan)
    weights.CopyFrom(onnx.numpy_helper.from_array(broken, "weights"))
    onnx.save(graph, path)
    with pytest.raises(SelfTestFailed, match="nan"):
        EmotionModel.open(path)


def test_load_forgives_a_failed_self_test(build_model: Any) -> None:
    path = build_model(card={"self_test": FLAT})
    assert EmotionModel.load(path).card.name == "tiny"


def test_an_unknown_provider_is_named_with_the_known(tiny_model: Path) -> None:
    with pytest.raises(
        ProviderUnavailable, match=r"no `NnapiExecutionProvider` here; .*`CPUExecutionProvider`"
    ):
        EmotionModel.open(tiny_model, providers=["NnapiExecutionProvider"])


def test_session_options(tiny_model: Path) -> None:
    session = open_session(tiny_model.read_bytes(), threads=2)
    options = session.get_session_options()
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_the_packaged_model(default_model: Path) -> None:
    model = EmotionModel.open(default_model)
    assert model.card.labels == EMOTIONS
    assert default_model.stat().st_size < 14_000_000
    probabilities = model.predict(make_crops(model.card.face.size_px))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
