"""A model that starts from the weights of another: other classes, size, tokens or fusion."""

import torch

from fer_training.errors import CheckpointError
from fer_training.network.checkpoint import interpolated
from fer_training.network.model import Hybrid, HybridConfig

_POSITION = "vit.position"
_LEAST_SHARE = 0.5


def transfer(model: Hybrid, config: HybridConfig) -> tuple[Hybrid, tuple[str, ...]]:
    """A new model of this configuration, and the names of its parameters that start fresh.

    Every parameter and buffer whose name and shape agree is copied: for another number of classes that is all
    but `classifier.weight` and `classifier.bias`. Positions of the tokens are interpolated for another size
    (Dosovitskiy et al. 2021, section 3.2). The rest keeps the random values of a new model.

    Raises:
        CheckpointError: less than half of the new model's parameters can be taken over.
    """
    new = Hybrid(config)
    old, fitting = model.state_dict(), {}
    for name, tensor in new.state_dict().items():
        if name == _POSITION and name in old and old[name].shape[2] == tensor.shape[2]:
            fitting[name] = interpolated(old[name], tensor.shape[1] - 1)
        elif name in old and old[name].shape == tensor.shape:
            fitting[name] = old[name]
    new.load_state_dict(fitting, strict=False)
    parameters = dict(new.named_parameters())
    fresh = tuple(name for name in parameters if name not in fitting)
    kept = sum(parameters[name].numel() for name in parameters.keys() & fitting.keys())
    if kept < _LEAST_SHARE * sum(parameter.numel() for parameter in parameters.values()):
        raise CheckpointError(
            "the weights belong to a model of another shape; "
            f"set `[model]` of the experiment to {model.config}, but for size, classes and fusion"
        )
    if config.fusion != "learned":  # a share that is fixed does not come from the other model
        with torch.no_grad():
            new.theta.zero_()
    return new.eval(), fresh
