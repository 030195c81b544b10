"""Batches of faces: shuffled and changed at random for training, plain for evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_training.crops.alignment import Frames
from fer_training.crops.augment import AugmentConfig, plain_view, random_view
from fer_training.crops.shuffle import Chunk, prefetched, shuffled, steps_of
from fer_training.errors import ConfigError

_CPU = torch.device("cpu")


def to_pixels(crops: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Crops N x S x S, uint8 -> N x 1 x S x S in [-1, 1], the normalisation of the graph."""
    pixels = torch.from_numpy(crops).to(device, non_blocking=True).unsqueeze(1)
    return pixels.float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)


class Batches(Protocol):
    """What a training loop runs through; the same for the same seed and epoch."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def tensors(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Pixels (B x 1 x S x S, in [-1, 1]) and targets (B x K) on the device, one epoch."""


@dataclass(frozen=True, slots=True)
class TrainingBatches:
    """Random views of N faces with their targets (N x K), the same for the same seed and epoch.

    Of the frames of a face (see `alignment`), one is drawn for each view. For `rank` and `processes` see
    `shuffled`.

    Raises:
        ConfigError: several processes, and too few faces for a step of all of them.
    """

    images: NDArray[np.uint8]
    frames: Frames
    targets: NDArray[np.float32]
    size_px: int
    batch_size: int
    augment: AugmentConfig
    seed: int
    rank: int = 0
    processes: int = 1
    device: torch.device = _CPU

    def __post_init__(self) -> None:
        if self.processes > 1 and len(self.images) < self.batch_size * self.processes:
            raise ConfigError(
                f"{len(self.images)} training faces do not fill one step of {self.processes} processes with "
                f"`batch_size` {self.batch_size}; lower it, or start fewer processes"
            )

    def __len__(self) -> int:
        return steps_of(len(self.images), self.batch_size * self.processes)

    def chunks(self, epoch: int) -> list[Chunk]:
        """Which faces each batch of an epoch holds."""
        seed = (self.seed, epoch)
        return shuffled(len(self.images), self.batch_size, seed, self.rank, self.processes)

    def epoch(self, epoch: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        """Crops (B x S x S) and targets (B x K) of an epoch; the next batch is made while one is used."""
        chunks = self.chunks(epoch)
        crops = prefetched(lambda chunk: self._crops(chunk, epoch), chunks)
        for chunk, views in zip(chunks, crops, strict=True):
            yield views, self.targets[chunk]

    def tensors(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The same, as `Batches` says."""
        for crops, targets in self.epoch(epoch):
            yield to_pixels(crops, self.device), torch.from_numpy(targets).to(self.device)

    def _crops(self, chunk: Chunk, epoch: int) -> NDArray[np.uint8]:
        views = []
        for index in chunk:
            random = np.random.default_rng((self.seed, epoch, int(index)))
            frame = self.frames[index, random.integers(self.frames.shape[1])]
            views.append(random_view(self.images[index], frame, self.size_px, self.augment, random))
        return np.stack(views)


def plain_crops(images: NDArray[np.uint8], frames: Frames, size_px: int) -> NDArray[np.uint8]:
    """Unchanged faces, N x H x W -> N x `size_px` x `size_px`, each cut at its first frame."""
    return np.stack(
        [plain_view(image, frame[0], size_px) for image, frame in zip(images, frames, strict=True)]
    )
