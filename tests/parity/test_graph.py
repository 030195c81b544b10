"""The exported graph answers like PyTorch, whatever stands beside a face in its batch."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fer_gateway.contract import INPUT_NAME, LOGITS_NAME, PROBABILITIES_NAME, FaceSpec, Framing
from fer_gateway.inference.model import EmotionModel
from fer_training.errors import ParityError
from fer_training.network.checkpoint import load_model, save_weights
from fer_training.network.graph import ServingGraph, check_parity
from fer_training.network.model import Hybrid, HybridConfig
from fer_training.release.export import export

SIZE_PX = 32
TEMPERATURE = 1.7


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `model.safetensors` and its `model.onnx`; weights and running statistics are random."""
    folder = tmp_path_factory.mktemp("parity")
    torch.manual_seed(0)
    model = Hybrid(
        HybridConfig(image_size=SIZE_PX, width=0.25, vit_dim=16, vit_depth=2, vit_heads=2, fused_dim=16)
    )
    model.train()(torch.randn(32, 1, SIZE_PX, SIZE_PX))  # batch statistics other than 0 and 1
    save_weights(model.eval(), folder / "model.safetensors")
    export(
        folder / "model.safetensors",
        folder / "model.onnx",
        name="parity",
        version="0.0.1",
        temperature=TEMPERATURE,
        framing=Framing(scale=1.0, offset_x=0.0, offset_y=0.0),
    )
    return folder


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


def test_a_face_alone_and_in_a_batch_get_the_same_answer(files: Path, crops: np.ndarray) -> None:
    model = EmotionModel.open(files / "model.onnx")
    together = model.predict(crops)
    alone = np.concatenate([model.predict(crop[None]) for crop in crops])
    np.testing.assert_allclose(together, alone, atol=1e-5)


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
