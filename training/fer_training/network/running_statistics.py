"""What a batch normalisation remembers of the batches that it has seen."""

from torch import Tensor, nn


def remember(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Let the running mean and variance (C each) of a layer follow those of a batch, as PyTorch does."""
    assert norm.running_mean is not None  # noqa: S101, narrows: there while statistics are tracked
    assert norm.running_var is not None  # noqa: S101
    assert norm.num_batches_tracked is not None  # noqa: S101
    assert norm.momentum is not None  # noqa: S101
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), norm.momentum)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype), norm.momentum)
