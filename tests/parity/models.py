"""A small hybrid with random weights, as a PyTorch model and as a file."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fer_gateway.contract import Framing
from fer_training.network.checkpoint import save_weights
from fer_training.network.model import Hybrid, HybridConfig
from fer_training.release.export import export

SIZE_PX = 32
TEMPERATURE = 1.7


def fresh_hybrid(seed: int = 0) -> Hybrid:
    """Random weights, running statistics other than 0 and 1, and logits that differ between faces."""
    torch.manual_seed(seed)
    model = Hybrid(
        HybridConfig(image_size=SIZE_PX, width=0.25, vit_dim=16, vit_depth=2, vit_heads=2, fused_dim=16)
    )
    model.train()(torch.randn(32, 1, SIZE_PX, SIZE_PX))
    with torch.no_grad():
        model.classifier.weight.mul_(8)
    return model.eval()


def write_fresh(folder: Path, seed: int = 0) -> Path:
    """`model.onnx`, beside its `model.safetensors`."""
    save_weights(fresh_hybrid(seed), folder / "model.safetensors")
    export(
        folder / "model.safetensors",
        folder / "model.onnx",
        name="parity",
        version="0.0.1",
        temperature=TEMPERATURE,
        framing=Framing(scale=1.0, offset_x=0.0, offset_y=0.0),
    )
    return folder / "model.onnx"


def random_crops(count: int, size_px: int = SIZE_PX, seed: int = 4) -> NDArray[np.uint8]:
    """N x S x S x 1: noise of changing brightness and contrast, so that ranges differ between crops."""
    random = np.random.default_rng(seed)
    middle, spread = random.uniform(40, 215, (count, 1, 1, 1)), random.uniform(5, 60, (count, 1, 1, 1))
    coarse = (
        random.normal(size=(count, 4, 4, 1)).repeat(-(-size_px // 4), axis=1).repeat(-(-size_px // 4), axis=2)
    )
    noise = coarse[:, :size_px, :size_px] + 0.3 * random.normal(size=(count, size_px, size_px, 1))
    return np.asarray((middle + spread * noise).clip(0, 255).astype(np.uint8))
