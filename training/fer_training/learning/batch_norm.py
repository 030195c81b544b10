"""Batch normalisation over the batches of all processes that train together, exactly as over one batch."""

from typing import Any, Self

import torch
from torch import Tensor, distributed, nn

from fer_training.network.running_statistics import remember


def synchronise(model: nn.Module, device: torch.device) -> None:
    """Give a model batch statistics over all processes; its weights keep their names and values.

    PyTorch's own `SyncBatchNorm` is for accelerators only; the processor gets the one below.
    """
    if device.type != "cpu":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, SharedBatchNorm2d.like(child))


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Mean and variance over N x H x W of every process, in one message: each sends its own two.

    All processes must have batches of one size. The parts' variances add up as in Chan et al. 1979: stable,
    unlike the mean of squares less the square of the mean.
    """

    @classmethod
    def like(cls, norm: nn.BatchNorm2d) -> Self:
        """A layer of the same settings and values."""
        layer = cls(norm.num_features, norm.eps, norm.momentum).to(norm.weight)
        layer.load_state_dict(norm.state_dict())
        return layer

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> the same."""
        if not self.training:
            return super().forward(features)
        variances, means = torch.var_mean(features, dim=(0, 2, 3), correction=0)
        parts = _gathered(torch.stack([means, variances]))  # processes x 2 x C
        mean = parts[:, 0].mean(dim=0)
        variance = (parts[:, 1] + (parts[:, 0] - mean).square()).mean(dim=0)
        if self.track_running_stats:
            count = features.numel() // features.shape[1] * len(parts)
            remember(self, mean.detach(), variance.detach() * count / max(1, count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (features - _across(mean)) * _across(scale) + _across(self.bias)


def _across(values: Tensor) -> Tensor:
    """C values, for each pixel of N x C x H x W."""
    return values[:, None, None]


def _gathered(part: Tensor) -> Tensor:
    """The tensors of all processes, stacked; gradients find their way back to each."""
    slots = torch.zeros((distributed.get_world_size(), *part.shape), dtype=part.dtype, device=part.device)
    index = torch.tensor([distributed.get_rank()], device=part.device)
    gathered: Tensor = _Sum.apply(slots.index_copy(0, index, part[None]))  # type: ignore[no-untyped-call]
    return gathered


class _Sum(torch.autograd.Function):
    """The sum over all processes; the loss is the sum of theirs, so gradients are summed as well."""

    @staticmethod
    def forward(_ctx: Any, tensor: Tensor) -> Tensor:
        tensor = tensor.clone()
        distributed.all_reduce(tensor)
        return tensor

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        distributed.all_reduce(gradient)
        return gradient
