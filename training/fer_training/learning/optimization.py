"""How weights are moved: optimizer, learning rate over time, moving average, precision."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn


class Recipe(Protocol):
    """What an experiment says about its optimization."""

    @property
    def optimizer(self) -> Literal["adam", "adamw"]: ...  # noqa: D102, as the next ones: named by the field
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def schedule(self) -> Literal["constant", "cosine"]: ...  # noqa: D102
    @property
    def warmup_epochs(self) -> float: ...  # noqa: D102
    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def weight_decay(self) -> float: ...  # noqa: D102


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Count denormal numbers as zero for the time of the block, in this thread.

    The moments of units that have fallen silent decay to denormals, which a processor computes a hundred
    times slower. It is a mode of the thread: left on, it would change the arithmetic of everybody else.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The rate at a fractional epoch: linear warm-up, then constant or half a cosine down to a hundredth."""
    if epoch < recipe.warmup_epochs:
        return recipe.learning_rate * (epoch + 0.01) / (recipe.warmup_epochs + 0.01)
    if recipe.schedule == "constant":
        return recipe.learning_rate
    done = (epoch - recipe.warmup_epochs) / max(1e-9, recipe.epochs - recipe.warmup_epochs)
    return recipe.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2)


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam or AdamW; weight decay only on matrices and kernels, not on norms, biases, embeddings or theta."""
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in trained if p.ndim < 2 or name.endswith(("position", "class_token"))]
    decayed = [p for name, p in trained if not (p.ndim < 2 or name.endswith(("position", "class_token")))]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def ramped_average(decay: float) -> Any:
    """A moving average whose decay starts low, (1 + t) / (10 + t), so that it soon forgets early weights."""

    def update(averaged: Iterable[Tensor], current: Iterable[Tensor], count: Tensor | int) -> None:
        now = min(decay, (1 + int(count)) / (10 + int(count)))
        for old, new in zip(averaged, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new.to(old.dtype), 1 - now)
            else:
                old.copy_(new)

    return update


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where the accelerator has it; float32 on a CPU, where bfloat16 was measured slower."""
    enabled = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)
