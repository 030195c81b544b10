"""The exported graph answers like PyTorch, whatever stands beside a face in its batch."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fer_gateway.contract import INPUT_NAME, LOGITS_NAME, PROBABILITIES_NAME, FaceSpec
from fer_gateway.inference.model import EmotionModel
from fer_training.errors import ParityError
from fer_training.network.checkpoint import load_model
from fer_training.network.graph import ServingGraph, check_parity
from fer_training.network.model import Hybrid

from .models import SIZE_PX, TEMPERATURE, write_fresh


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `model.safetensors` and its `model.onnx`; weights and running statistics are random."""
    return write_fresh(tmp_path_factory.mktemp("parity")).parent


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (9, SIZE_PX, SIZE_PX, 1), dtype=np.uint8)


def test_graph_answers_like_the_unfolded_model(files: Path, crops: np.ndarray) -> None:
    model = load_model(files / "model.safetensors")
    with torch.inference_mode():
        logits = model(torch.from_numpy(crops[..., 0]).unsqueeze(1).float() / 127.5 - 1)
    session = onnxruntime.InferenceSession(files / "model.onnx", providers=["CPUExecutionProvider"])
    probabilities, found = session.run([PROBABILITIES_NAME, LOGITS_NAME], {INPUT_NAME: crops})
    np.testing.assert_allclose(found, logits.numpy(), atol=1e-4)
    np.testing.assert_allclose(probabilities, (logits / TEMPERATURE).softmax(1).numpy(), atol=1e-5)


def test_batch_normalisation_is_folded(files: Path) -> None:
    kinds = {node.op_type for node in onnx.load(files / "model.onnx").graph.node}
    assert "Conv" in kinds
    assert "BatchNormalization" not in kinds


def test_parity_gate_refuses_another_model(files: Path) -> None:
    torch.manual_seed(9)
    other = Hybrid(load_model(files / "model.safetensors").config)
    with pytest.raises(ParityError, match="differ by"):
        check_parity(ServingGraph(other.eval(), TEMPERATURE).eval(), files / "model.onnx", SIZE_PX)


def test_crop_size_of_the_card_is_the_graphs(files: Path) -> None:
    spec: FaceSpec = EmotionModel.open(files / "model.onnx").card.face
    assert spec.size_px == SIZE_PX
