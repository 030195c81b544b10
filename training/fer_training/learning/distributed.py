"""Several processes that train one model, started by `torchrun`; what each does, and what only the first."""

import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from fer_training.errors import ConfigError, ProcessError
from fer_training.learning.devices import device_named

Value = TypeVar("Value")

PATIENCE = timedelta(minutes=15)
"""A process that has not come so long is lost. The longest wait is for the first to score an epoch."""

_BACKENDS = (("cuda", "cpu:gloo,cuda:nccl"), ("xpu", "cpu:gloo,xpu:xccl"))
_FAILED = "fer_training/failed"
_LAST_WORDS_S = 20.0
"""`torchrun` ends all as soon as one has ended: the one that tells of the error must be that one."""


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
        ids = None if device.type == "cpu" else [device]
        with warnings.catch_warnings():  # newer versions of PyTorch call it `forward_sync_buffers`
            warnings.simplefilter("ignore", FutureWarning)
            return DistributedDataParallel(model, device_ids=ids, broadcast_buffers=False)

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.count > 1:
            distributed.barrier()

    def mean(self, values: Tensor) -> Tensor:
        """The mean of the values that the processes have."""
        if self.count > 1:
            values = values.clone()
            distributed.all_reduce(values)
        return values / self.count

    def from_first(self, make: Callable[[], Value]) -> Value:
        """What `make` gives in the first process, in all of them: only its files are read."""
        if self.count == 1:
            return make()
        box: list[Any] = [make() if self.first else None]
        distributed.broadcast_object_list(box)
        value: Value = box[0]
        return value

    def joined(self, make: Callable[[slice], NDArray[np.float64]], rows: int) -> NDArray[np.float64]:
        """An array of `rows` rows in all processes, to which each has made its share of them."""
        bounds = np.linspace(0, rows, self.count + 1).round().astype(int)
        part = make(slice(int(bounds[self.rank]), int(bounds[self.rank + 1])))
        if self.count == 1:
            return part
        parts: list[Any] = [None] * self.count
        distributed.all_gather_object(parts, part)
        return np.concatenate(parts)


@contextmanager
def processes(device_name: str) -> Iterator[tuple[Processes, torch.device]]:
    """Join the processes that `torchrun` started with this one, for the time of the block.

    An error in one of them ends all: the first to fail raises it, the others, which learn of it by a broken
    connection or fail in the same way, end without a word.

    Raises:
        ConfigError: there is no such device, or the other processes cannot be reached.
        ProcessError: another process was killed or does not come any more.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(), device_named(device_name)
        return
    try:
        store, rank, count = next(iter(rendezvous("env://", timeout=PATIENCE)))
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"the other processes of `torchrun` cannot be reached: {error}") from error
    try:
        device = of_this_process(device_named(device_name), int(os.environ.get("LOCAL_RANK", "0")))
        backend = dict(_BACKENDS).get(device.type, "gloo")
        distributed.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=PATIENCE)
        yield Processes(rank, count), device
    except Exception as error:
        if store.add(_FAILED, 1) > 1:
            time.sleep(_LAST_WORDS_S)
            raise SystemExit(1) from error
        if _is_lost(error):
            raise ProcessError(
                f"process {rank} of {count} has lost another one, which was killed or hangs; "
                "the same command goes on after the last whole epoch"
            ) from error
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def of_this_process(device: torch.device, local_rank: int) -> torch.device:
    """The accelerator of this process on its machine: the one of its number, unless `device` names one."""
    if device.type == "cpu":
        return device
    if ":" not in str(device):
        device = torch.device(device.type, local_rank)
    torch.accelerator.set_device_index(device.index)
    return device


def _is_lost(error: Exception) -> bool:
    """Whether the connection to another process broke or timed out; gloo says so by its file names only."""
    return isinstance(error, distributed.DistError) or (
        isinstance(error, RuntimeError) and "gloo" in str(error)
    )
