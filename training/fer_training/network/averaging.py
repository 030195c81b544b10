"""The mean of the weights of several models, a "model soup" (Wortsman et al. 2022)."""

import copy
from collections.abc import Sequence

import torch

from fer_training.errors import ConfigError
from fer_training.network.model import Hybrid


@torch.no_grad()
def averaged(models: Sequence[Hybrid], shares: Sequence[float] | None = None) -> Hybrid:
    """A model whose weights are the mean of those of `models`, each with its share, or all alike.

    It answers about as well as the mean of their answers where all were trained on from the same weights, at
    the price of one; models from different random weights have no such mean. Running means and variances of
    batch normalisation are averaged too, as if each model had seen its share of the faces.

    Raises:
        ConfigError: models of different shapes, or shares that are not one for each, positive.
    """
    shares = [1.0] * len(models) if shares is None else shares
    if len(shares) != len(models) or min(shares, default=0) <= 0:
        raise ConfigError(f"{len(models)} models need as many shares above 0, not {list(shares)}")
    if any(model.config != models[0].config for model in models):
        raise ConfigError("models of different shapes have no mean; average runs of one `[model]`")
    mean = copy.deepcopy(models[0])
    states = [model.state_dict() for model in models]
    for name, tensor in mean.state_dict().items():
        if tensor.is_floating_point():
            total = sum(share * state[name].double() for share, state in zip(shares, states, strict=True))
            tensor.copy_(total / sum(shares))
    return mean.eval()
