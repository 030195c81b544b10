"""How weights are moved: optimizer, learning rate over time, moving average, precision."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

_FUSED = frozenset({"cpu", "cuda", "mps", "xpu"})
"""Devices whose optimizers update all weights in one kernel."""


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
    fused = all(p.device.type in _FUSED for p in (*plain, *decayed))
    return kind(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=fused)


@contextmanager
def at_worst_neighbour(parameters: Iterable[nn.Parameter], rho: float) -> Iterator[None]:
    """Weights w + rho g / |g| for the time of the block, where the loss near w is about the highest.

    The gradient found there, applied to w, leads to flat minima: sharpness-aware minimisation, equations 2-3
    of Foret et al. 2021. `g` are the gradients that the parameters hold.
    """
    moved = [p for p in parameters if p.grad is not None]
    before = [p.detach().clone() for p in moved]
    with torch.no_grad():
        norm = nn.utils.get_total_norm([p.grad for p in moved if p.grad is not None])
        for p in moved:
            p.add_(p.grad * (rho / (norm + 1e-12)))  # type: ignore[operator]
    try:
        yield
    finally:
        with torch.no_grad():
            for p, old in zip(moved, before, strict=True):
                p.copy_(old)


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Batch normalisation does not count the batches of this block in its running mean and variance."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


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
    """bfloat16 where the accelerator computes it; float32 on a CPU, where bfloat16 was measured slower."""
    return torch.autocast(device.type, torch.bfloat16, enabled=_has_bfloat16(device))


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":  # older ones emulate it, slower than float32
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "xpu":
        return bool(torch.xpu.is_bf16_supported())
    if device.type == "mps":
        return torch.backends.mps.is_available() and bool(torch.backends.mps.is_macos_or_newer(14, 0))
    return False
