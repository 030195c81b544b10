"""The processor or accelerator that a command is told to use."""

import ctypes
import platform

import torch

from fer_training.errors import ConfigError

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of `malloc.h`


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


def keep_freed_memory() -> None:
    """Let this process keep what it frees, where its C library is glibc.

    A training step on a processor frees and asks for the same hundreds of megabytes; given back and taken
    anew, every page is cleared by the kernel: a quarter of the time (measured: EXPERIMENTS.md).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    options = ctypes.CDLL(None).mallopt
    options(_MMAP_MAX, 0)
    options(_TRIM_THRESHOLD, 2**31 - 1)
    options(_TOP_PAD, 2**27)
