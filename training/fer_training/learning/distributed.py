"""Several processes that train one model, started by `torchrun`; what only the first of them does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fer_training.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train together; alone it is number 0 of 1."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that scores, writes files and talks."""
        return self.rank == 0

    def shared(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model as training calls it: gradients are the mean over all processes."""
        if self.count == 1:
            return model
        ids = [device] if device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=ids, broadcast_buffers=False)

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def processes(device: torch.device) -> Iterator[Processes]:
    """Join the processes that `torchrun` started with this one, for the time of the block.

    Raises:
        ConfigError: `torchrun` started it, but the others cannot be reached.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        distributed.init_process_group(backend)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"the other processes of `torchrun` cannot be reached: {error}") from error
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
