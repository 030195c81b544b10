"""A face alone and the same face inside any batch get the same answer: in PyTorch, in ONNX, in any precision.

The published PAtt-Lite lets attention run across the batch, so that its scores depend on which faces are
tested together. Batch statistics and activations scaled over a whole batch do the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnxruntime.quantization import quantize_dynamic

from fer_gateway.contract import CARD_KEY
from fer_gateway.inference.model import MAX_BATCH, EmotionModel
from fer_gateway.models import PACKAGED_MODEL
from fer_training.errors import ParityError
from fer_training.network.checkpoint import load_model
from fer_training.network.graph import ServingGraph, check_batches
from fer_training.network.model import Hybrid
from fer_training.release.quantize import write_variant

from .models import fresh_hybrid, random_crops, write_fresh

TOLERANCE = 1e-5
SHIPPED = sorted(
    path
    for path in PACKAGED_MODEL.parent.glob("*.onnx")
    if CARD_KEY in {entry.key for entry in onnx.load(path).metadata_props}
)
WEIGHTS = Path(__file__).parents[2] / "training" / "weights" / "default.safetensors"


@dataclass(frozen=True, slots=True)
class Answering:
    """A model in whatever shape: crops N x S x S x 1 to probabilities N x K."""

    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    size_px: int


@dataclass(frozen=True, slots=True)
class Place:
    """A face among others: which of how many, and who they are."""

    batch: int
    index: int
    seed: int
    others: str

    def move(self, model: Answering) -> float:
        """How far the answer to the face moves among the others."""
        crops = random_crops(self.batch, model.size_px, self.seed)
        face = crops[self.index].copy()
        if self.others == "black":
            crops[:] = 0
        elif self.others == "white":
            crops[:] = 255
        elif self.others == "mirrored":
            crops[:] = face[:, ::-1]
        crops[self.index] = face
        return float(np.abs(model.predict(crops)[self.index] - model.predict(face[None])[0]).max())


@st.composite
def places(draw: st.DrawFn) -> Place:
    batch = draw(st.integers(1, 10))
    return Place(
        batch=batch,
        index=draw(st.integers(0, batch - 1)),
        seed=draw(st.integers(0, 2**32 - 1)),
        others=draw(st.sampled_from(["random", "black", "white", "mirrored"])),
    )


def in_onnx(path: Path) -> Answering:
    model = EmotionModel.open(path)
    return Answering(model.predict, model.card.face.size_px)


def in_pytorch(model: Hybrid) -> Answering:
    graph = ServingGraph(model, temperature=1.0).eval()

    def predict(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(graph(torch.from_numpy(crops))[0].numpy())

    return Answering(predict, model.config.image_size)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small batches gain nothing by more, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights."""
    return write_fresh(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="module", params=["PyTorch", "float32", "float16", "int8"])
def fresh_model(request: pytest.FixtureRequest, fresh: Path) -> Answering:
    """It in one of its shapes."""
    if request.param == "PyTorch":
        return in_pytorch(fresh_hybrid())
    if request.param == "float32":
        return in_onnx(fresh)
    variant = fresh.with_name(f"{request.param}.onnx")
    write_variant(fresh, variant, request.param, random_crops(64))
    return in_onnx(variant)


@pytest.fixture(scope="module", params=[WEIGHTS, *SHIPPED], ids=lambda path: path.name)
def shipped_model(request: pytest.FixtureRequest) -> Answering:
    """A committed model."""
    path: Path = request.param
    return in_pytorch(load_model(path)) if path == WEIGHTS else in_onnx(path)


@settings(max_examples=40, deadline=None)
@given(place=places())
def test_of_fresh_models(fresh_model: Answering, place: Place) -> None:
    assert place.move(fresh_model) <= TOLERANCE


@settings(max_examples=15, deadline=None)
@given(place=places())
def test_of_shipped_models(shipped_model: Answering, place: Place) -> None:
    assert place.move(shipped_model) <= TOLERANCE


def test_of_more_faces_than_fit_one_run(shipped_model: Answering) -> None:
    crops = random_crops(MAX_BATCH + 1, shipped_model.size_px)
    together, alone = shipped_model.predict(crops), shipped_model.predict(crops[-1:])
    np.testing.assert_allclose(together[-1:], alone, atol=TOLERANCE)


def test_activations_scaled_over_a_batch_are_caught(fresh: Path, tmp_path: Path) -> None:
    """Dynamic quantisation takes its scale from all faces together: the check must see that."""
    dynamic, proto = tmp_path / "dynamic.onnx", onnx.load(fresh)
    del proto.graph.value_info[:]  # shapes of transposed weights, which this quantiser trips over
    quantize_dynamic(proto, dynamic, op_types_to_quantize=["MatMul", "Gemm"])
    session = onnxruntime.InferenceSession(dynamic, providers=["CPUExecutionProvider"])
    with pytest.raises(ParityError, match="depends on its batch"):
        check_batches(session, random_crops(16))


def test_a_model_left_in_training_mode_is_exported_in_evaluation_mode() -> None:
    """Batch statistics and dropout would tie faces together."""
    crops = torch.from_numpy(random_crops(6))
    model = fresh_hybrid()
    evaluated, trained = ServingGraph(model, 1.0), ServingGraph(fresh_hybrid().train(), 1.0)
    with torch.inference_mode():
        torch.testing.assert_close(trained(crops)[0], evaluated(crops)[0])
    assert not any(module.training for module in trained.network.modules())


def test_training_mode_would_be_caught() -> None:
    """The property is worth testing: the same network breaks it where batch statistics are in use."""
    pixels = torch.from_numpy(random_crops(6)[..., 0]).unsqueeze(1).float() / 127.5 - 1
    model = fresh_hybrid().train()
    torch.manual_seed(1)
    with torch.no_grad():
        together = model(pixels)
        pairs = model(pixels[:2])
    assert float((together[:2] - pairs).abs().max()) > TOLERANCE


def test_loaded_weights_are_in_evaluation_mode() -> None:
    assert not any(module.training for module in load_model(WEIGHTS).modules())
