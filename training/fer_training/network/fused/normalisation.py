"""Batch normalisation from the sums over a map, forwards and backwards (Ioffe and Szegedy 2015)."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from fer_training.network.fused import library
from fer_training.network.running_statistics import remember


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What a batch normalisation does to a map of `count` places: scale y + shift. All but `count` are C."""

    mean: Tensor
    inverse_deviation: Tensor
    scale: Tensor
    shift: Tensor
    count: int

    @classmethod
    def of(cls, norm: nn.BatchNorm2d, moments: Tensor, count: int) -> Self:
        """From the sums of y and y^2 (2 x C, float64); the layer remembers mean and variance."""
        mean, square = (moments / count).unbind()
        variance = (square - mean * mean).clamp_(min=0)
        if norm.track_running_stats:
            remember(norm, mean, variance * (count / max(1, count - 1)))
        inverse_deviation = (variance + norm.eps).rsqrt_().float()
        mean = mean.float()
        scale = norm.weight.detach() * inverse_deviation
        return cls(mean, inverse_deviation, scale, norm.bias.detach() - mean * scale, count)

    def backward(
        self, y: Tensor, gradient: Tensor, *, linear: bool = False, moments: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Turn the gradient behind ReLU6 into that of y, in place; the gradients of weight and bias, C each.

        `moments` are the sums of g and g y, where they are known; g then is before ReLU6 already.
        """
        if moments is None:
            moments = library.gradient_moments(y, gradient, self.scale, self.shift, linear=linear)
        else:
            linear = True
        bias, along = moments.float().unbind()
        weight = (along - self.mean * bias) * self.inverse_deviation
        slope = -self.scale * self.inverse_deviation * weight / self.count
        offset = -self.mean * slope - self.scale * bias / self.count
        coefficients = torch.stack([self.scale, slope, offset])
        library.normalise_gradient(y, gradient, self.scale, self.shift, coefficients, linear=linear)
        return weight, bias
