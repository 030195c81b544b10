"""The processor or accelerator that a command is told to use."""

import torch

from fer_training.errors import ConfigError


def device_named(name: str) -> torch.device:
    """The device of this name; `auto` is the accelerator if there is one, else the processor.

    Raises:
        ConfigError: it cannot be used here.
    """
    try:
        if name == "auto":
            return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"`--device {name}` cannot be used here: {error}") from error
    return device
