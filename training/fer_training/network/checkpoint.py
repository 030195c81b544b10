"""Weights that rebuild their own model: safetensors with the model's configuration in the metadata."""

import json
import math
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.nn import functional

from fer_training.errors import CheckpointError
from fer_training.network.model import Hybrid, HybridConfig


def save_weights(model: Hybrid, path: Path, *, half: bool = False) -> None:
    """Write the weights of a model; `half` stores floats in 16 bits, for files that are committed."""
    tensors = {
        name: tensor.detach()
        .cpu()
        .to(torch.float16 if half and tensor.is_floating_point() else tensor.dtype)
        .contiguous()
        for name, tensor in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    save_file(tensors, partial, metadata={"model": json.dumps(model.config.to_dict(), sort_keys=True)})
    partial.replace(path)


def load_model(path: Path) -> Hybrid:
    """Rebuild the model that `save_weights` wrote: float32, on the CPU, in evaluation mode.

    Raises:
        CheckpointError: no such file, not ours, or weights that do not fit its own configuration.
    """
    if not path.is_file():
        raise CheckpointError(
            f"`{path}` does not exist; expected a `.safetensors` file written by `train` or `export`"
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
        model = Hybrid(HybridConfig(**json.loads(metadata["model"])))
        model.load_state_dict({name: _full(tensor) for name, tensor in tensors.items()})
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"`{path}` is no weights file of this project: {error}") from error
    return model.eval()


def at_size(model: Hybrid, image_size: int) -> Hybrid:
    """A copy for another picture size: positions are interpolated between tokens, all other weights stay.

    Dosovitskiy et al. 2021, section 3.2, fine-tune at a higher resolution in this way.
    """
    resized = Hybrid(replace(model.config, image_size=image_size))
    state = model.state_dict()
    if "vit.position" in state:
        state["vit.position"] = interpolated(state["vit.position"], resized.vit.position.shape[1] - 1)
    resized.load_state_dict(state)
    return resized.eval()


def interpolated(position: torch.Tensor, tokens: int) -> torch.Tensor:
    """Positions of the class token and of a square grid (1 x 1+G*G x dim) for a grid of `tokens`."""
    class_token, grid = position[:, :1], position[:, 1:]
    old, new = math.isqrt(grid.shape[1]), math.isqrt(tokens)
    square = grid.transpose(1, 2).reshape(1, -1, old, old)
    wider = functional.interpolate(square, size=(new, new), mode="bicubic", align_corners=False)
    return torch.cat([class_token, wider.flatten(2).transpose(1, 2)], dim=1)


def _full(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
