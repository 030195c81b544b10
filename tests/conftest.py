"""What tests of several folders share: photos, and a small model, real in all but its training."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import onnx
import pytest
import skimage
from cryptography.hazmat.primitives.serialization import Encoding
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from playwright.sync_api import Playwright, expect, sync_playwright

from fer_gateway.contract import CARD_KEY, EMOTIONS, INPUT_NAME, LOGITS_NAME, PROBABILITIES_NAME
from fer_gateway.inference.self_test import make_crops
from fer_gateway.lan.authority import Authority, KeyPair
from fer_gateway.lan.leaf import leaf_file
from fer_gateway.models import PACKAGED_MODEL
from fer_gateway.vision.cascade import cascade_sha256, find_cascade

TINY_SIZE_PX = 24
TINY_TEMPERATURE = 1.5

EXPECT_WITHIN_MS = 30_000
"""Conditions on a page are waited for: on a loaded machine the same page takes several times as long."""

BuildModel = Callable[..., Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers last: their driver keeps an event loop in this thread, beside which none may run."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of all browsers; a process can have one."""
    expect.set_options(timeout=EXPECT_WITHIN_MS)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def grace_hopper() -> Path:
    """A photo of one face; 512 x 600, JPEG."""
    return Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A photo of one face with a broad smile; 512 x 512, PNG."""
    return Path(skimage.__file__).parent / "data" / "astronaut.png"


@pytest.fixture(scope="session")
def default_model() -> Path:
    """The model of the package."""
    return PACKAGED_MODEL


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A linear model with a valid card: loads at once, answers fast, knows nothing about faces."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture
def build_model(tmp_path: Path) -> BuildModel:
    """Writes a tiny model with faults: see `write_tiny_model` for what can be changed."""
    return lambda **changes: write_tiny_model(tmp_path / "built.onnx", **changes)


def write_tiny_model(
    path: Path,
    *,
    card: dict[str, Any] | str | None = None,
    with_card: bool = True,
    batch: str | int = "N",
    output: str = PROBABILITIES_NAME,
    classes: int = len(EMOTIONS),
    hangs_below: float | None = None,
) -> Path:
    """probabilities = softmax(W x / T) with x = crop / 127.5 - 1.

    Args:
        path: where to write.
        card: fields that replace those of the card, or a text instead of it.
        with_card: whether there is a card at all.
        batch: name or number of the first axis.
        output: name of the first output.
        classes: columns of W.
        hangs_below: mean grey level of the crops under which the graph does not come to an end.
    """
    weights = np.random.default_rng(7).normal(0, 0.05, (TINY_SIZE_PX**2, classes)).astype(np.float32)
    constants = {"weights": weights, "divisor": 127.5, "one": 1.0, "temperature": TINY_TEMPERATURE}
    hang = [] if hangs_below is None else endless_loop(hangs_below)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", [INPUT_NAME], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["pixels", "divisor"], ["scaled"]),
            helper.make_node("Sub", ["scaled", "one"], ["normalised"]),
            helper.make_node("Flatten", ["normalised"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["product" if hang else LOGITS_NAME]),
            *hang,
            helper.make_node("Div", [LOGITS_NAME, "temperature"], ["cool"]),
            helper.make_node("Softmax", ["cool"], [output], axis=-1),
        ],
        "tiny",
        [
            helper.make_tensor_value_info(
                INPUT_NAME, TensorProto.UINT8, [batch, TINY_SIZE_PX, TINY_SIZE_PX, 1]
            )
        ],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, classes]),
            helper.make_tensor_value_info(LOGITS_NAME, TensorProto.FLOAT, [batch, classes]),
        ],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if with_card:
        text = card if isinstance(card, str) else tiny_card(weights, card or {})
        helper.set_model_props(model, {CARD_KEY: text})
    onnx.save(model, path)
    return path


def endless_loop(below: float) -> list[onnx.NodeProto]:
    """`product` to the logits, in no turns of a loop for bright `pixels`, in 2^62 turns for dark ones."""
    constants = {"level": np.float32(below), "never": np.int64(2**62), "at_once": np.int64(0)}
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["goes_on"]),
            helper.make_node("Identity", ["before"], ["after"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    return [
        *(
            helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value)))
            for name, value in constants.items()
        ),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], keepdims=0),
        helper.make_node("Less", ["mean", "level"], ["is_dark"]),
        helper.make_node("Where", ["is_dark", "never", "at_once"], ["turns"]),
        helper.make_node("Loop", ["turns", "", "product"], [LOGITS_NAME], body=body),
    ]


def tiny_card(weights: NDArray[np.float32], changes: dict[str, Any]) -> str:
    """The card that belongs to these weights, its self-test worked out by numpy instead of ONNX Runtime."""
    crops = make_crops(TINY_SIZE_PX).reshape(2, -1)
    exponentials = np.exp((crops / 127.5 - 1) @ weights / TINY_TEMPERATURE)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    card = {
        "name": "tiny",
        "version": "0.0.1",
        "labels": EMOTIONS,
        "face": {
            "size_px": TINY_SIZE_PX,
            "framing": {"scale": 1.0, "offset_x": 0.0, "offset_y": 0.0},
            "cascade_sha256": cascade_sha256(find_cascade()),
        },
        "normalisation": {"divisor": 127.5, "shift": -1.0},
        "temperature": TINY_TEMPERATURE,
        "parameters": weights.size,
        "multiply_adds": weights.size,
        "fusion_share": 0.5,
        "provenance": {
            "git_sha": "0" * 40,
            "created": "2026-01-01",
            "data": [],
            "licence": "Apache-2.0",
            "notes": "Random weights, for tests.",
        },
        "self_test": {"probabilities": probabilities.tolist(), "tolerance": 0.001},
    }
    return json.dumps(card | changes)


@pytest.fixture
def own_pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of an authority in the test's folder, and its key, in a file each."""
    path = leaf_file(tmp_path, Authority.open(tmp_path), ("gateway.local",), ())
    read = KeyPair.parse(path, path.read_bytes())
    certificate, key = tmp_path / "own.crt", tmp_path / "own.key"
    certificate.write_bytes(read.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(read.pem())
    key.chmod(0o600)
    return certificate, key
