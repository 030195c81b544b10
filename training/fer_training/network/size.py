"""How large a model is: parameters and multiply-adds."""

import torch
from torch import Tensor, nn

from fer_training.network.model import SelfAttention


def count_parameters(model: nn.Module) -> int:
    """Number of values in the parameters of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


@torch.inference_mode()
def count_multiply_adds(model: nn.Module, size_px: int) -> int:
    """Multiply-adds of one grey crop, by running it: convolutions, linear layers, products of attention."""
    total = 0

    def count(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.in_channels // module.groups * module.kernel_size[0] ** 2
        elif isinstance(module, nn.Linear):
            total += output[0].numel() * module.in_features
        elif isinstance(module, SelfAttention):
            tokens, dim = output.shape[1:]
            total += 2 * tokens * tokens * dim

    kinds = (nn.Conv2d, nn.Linear, SelfAttention)
    handles = [module.register_forward_hook(count) for module in model.modules() if isinstance(module, kinds)]
    model.eval()(torch.zeros(1, 1, size_px, size_px))
    for handle in handles:
        handle.remove()
    return total
