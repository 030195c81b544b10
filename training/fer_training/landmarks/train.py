"""The training loop of the landmark network; it resumes after a kill."""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from fer_training.crops.batches import to_pixels
from fer_training.crops.shuffle import prefetched, shuffled, steps_of
from fer_training.landmarks.config import LandmarkConfig
from fer_training.landmarks.data import PointedFaces
from fer_training.landmarks.network import LandmarkNet
from fer_training.landmarks.views import View, random_nothing, random_view
from fer_training.learning.optimization import (
    flushed_denormals,
    learning_rate,
    make_optimizer,
    mixed_precision,
    ramped_average,
)
from fer_training.learning.resume import Stateful, append_history, keep, restore

NOTHING_ERROR = 0.5
"""The expected error that a crop without a face stands for, in crop sides: anywhere."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Crops B x S x S uint8, points B x 5 x 2 (fractions), weights B (0 where there is no face)."""

    crops: NDArray[np.uint8]
    points: NDArray[np.float32]
    weights: NDArray[np.float32]


class LandmarkBatches:
    """Random views of all faces, the same for the same seed and epoch; the next is made while one is used."""

    def __init__(self, faces: PointedFaces, config: LandmarkConfig) -> None:
        self._faces, self._config = faces, config
        self._weights = trust(faces)

    def __len__(self) -> int:
        return steps_of(len(self._faces), self._config.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch."""
        chunks = shuffled(len(self._faces), self._config.batch_size, (self._config.seed, epoch))
        return prefetched(lambda chunk: self._batch(chunk, epoch), chunks)

    def _batch(self, chunk: NDArray[np.int64], epoch: int) -> Batch:
        views = [self._view(int(index), epoch) for index in chunk]
        weights = [
            self._weights[index] if view.face else 0.0 for index, view in zip(chunk, views, strict=True)
        ]
        return Batch(
            np.stack([view.crop for view in views]),
            np.stack([view.points for view in views]).astype(np.float32),
            np.array(weights, np.float32),
        )

    def _view(self, index: int, epoch: int) -> View:
        config, faces = self._config, self._faces
        random = np.random.default_rng((config.seed, epoch, index))
        if random.random() < config.nothing_share:
            return random_nothing(faces, index, random)
        jitter = config.near if random.random() < config.near_share else config.wide
        return random_view(faces, index, jitter, config.margin, random)


class LandmarkTrainer:
    """Trains into a folder; the weights that count are their moving average."""

    def __init__(self, config: LandmarkConfig, folder: Path, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.folder, self.device = config, folder, device
        self.model = LandmarkNet(config.width).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(
            self.model, multi_avg_fn=ramped_average(config.ema_decay), use_buffers=True
        )
        self.optimizer = make_optimizer(self.model, config)
        self.epochs_done = 0

    def resume(self) -> bool:
        """Go on from the checkpoint in the folder; false where there is none.

        Raises:
            CheckpointError: it is damaged or belongs to another configuration.
        """
        progress = restore(self.folder, self.config, self._parts)
        if progress is None:
            return False
        self.epochs_done = int(progress["epochs_done"])
        return True

    def fit(self, faces: PointedFaces) -> LandmarkNet:
        """Run the epochs that are left; returns the averaged network."""
        self.folder.mkdir(parents=True, exist_ok=True)
        batches = LandmarkBatches(faces, self.config)
        for epoch in range(self.epochs_done, self.config.epochs):
            with flushed_denormals():
                error = self._run_epoch(batches, epoch)
            self.epochs_done = epoch + 1
            self._save(error)
        return self.averaged()

    @property
    def _parts(self) -> dict[str, Stateful]:
        return {"model": self.model, "average": self.average, "optimizer": self.optimizer}

    def averaged(self) -> LandmarkNet:
        """The network with averaged weights, in evaluation mode."""
        model = self.average.module
        assert isinstance(model, LandmarkNet)  # noqa: S101, narrows the type of `AveragedModel.module`
        return model.eval()

    def _run_epoch(self, batches: LandmarkBatches, epoch: int) -> float:
        """One pass; the mean error of the points in crop sides."""
        self.model.train()
        total, steps = 0.0, len(batches)
        bar = tqdm(batches.epoch(epoch), total=steps, desc=f"epoch {epoch + 1}", mininterval=1, disable=None)
        for step, batch in enumerate(bar):
            rate = learning_rate(self.config, epoch + step / steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            total += self._step(batch)
        return total / steps

    def _step(self, batch: Batch) -> float:
        with mixed_precision(self.device):
            points, log_error = self.model(to_pixels(batch.crops, self.device))
        expected = torch.from_numpy(batch.points).to(self.device)
        weights = torch.from_numpy(batch.weights).to(self.device)
        distances = distances_between(points.float(), expected)
        is_face = weights > 0
        loss = (weights[:, None] * distances).sum() / (5 * weights.sum().clamp(min=1e-6))
        measured = torch.where(is_face, distances.detach().mean(dim=1), NOTHING_ERROR)
        loss = loss + 0.02 * laplace(measured, log_error.float()).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        return float(distances.detach()[is_face].mean())

    def _save(self, error: float) -> None:
        line = {"epoch": self.epochs_done, "error": error}
        append_history(self.folder, line, keep=self.epochs_done - 1)
        keep(self.folder, self.config, self._parts, {"epochs_done": self.epochs_done})
        tqdm.write(f"epoch {self.epochs_done}: mean error {error:.4f} crop sides", file=sys.stderr)


def trust(faces: PointedFaces) -> NDArray[np.float64]:
    """The weight of each face, N, mean 1: its score over the variance that its label's spread suggests.

    The label is a mean over up to 12 renderings; half a pixel stands for what they err in common.
    """
    weights = faces.score / (0.5**2 + faces.spread_px**2 / 3)
    return np.asarray(weights / weights.mean())


def distances_between(points: Tensor, expected: Tensor) -> Tensor:
    """Euclidean distance of each point, B x 5, smooth at 0."""
    return ((points - expected).square().sum(dim=2) + 1e-6).sqrt()


def laplace(error: Tensor, log_scale: Tensor) -> Tensor:
    """Negative log-likelihood of an error e >= 0 whose mean is exp(log_scale): e / scale + log scale."""
    log_scale = log_scale.clamp(math.log(1e-3), math.log(2.0))
    return error * (-log_scale).exp() + log_scale
