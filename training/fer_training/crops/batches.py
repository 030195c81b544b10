"""Batches of faces: shuffled and changed at random for training, plain for evaluation."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_training.crops.alignment import Frames
from fer_training.crops.augment import AugmentConfig, plain_view, random_view


def to_pixels(crops: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Crops N x S x S, uint8 -> N x 1 x S x S in [-1, 1], the normalisation of the graph."""
    pixels = torch.from_numpy(crops).to(device, non_blocking=True).unsqueeze(1)
    return pixels.float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True)
class TrainingBatches:
    """Random views of N faces with their targets (N x K), the same for the same seed and epoch.

    Of the frames of a face (see `alignment`), one is drawn for each view. Of `processes` that train together,
    each sees its own part of a step: together they see what one would with `processes` times the batch size.
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

    def __len__(self) -> int:
        """Steps in an epoch; the remainder of a batch is left out, another one each time."""
        return max(1, len(self.images) // (self.batch_size * self.processes))

    def epoch(self, epoch: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        """Crops (B x S x S) and targets (B x K) of an epoch; the next batch is made while one is used."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.images))
        places = range(self.rank, len(self) * self.processes, self.processes)
        chunks = [order[place * self.batch_size : (place + 1) * self.batch_size] for place in places]
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self._crops, chunks[0], epoch)
            for step, chunk in enumerate(chunks):
                crops = upcoming.result()
                if step + 1 < len(chunks):
                    upcoming = pool.submit(self._crops, chunks[step + 1], epoch)
                yield crops, self.targets[chunk]

    def _crops(self, chunk: NDArray[np.int64], epoch: int) -> NDArray[np.uint8]:
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
