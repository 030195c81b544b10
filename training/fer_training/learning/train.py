"""The training loop: epochs of steps, a moving average of the weights, scores, resume after a kill."""

from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from fer_training.crops.batches import Batches, TrainingBatches, plain_crops, to_pixels
from fer_training.crops.device_views import DeviceBatches, fits_device_views
from fer_training.data.labelled import LabelledFaces
from fer_training.learning.batch_norm import synchronise
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.devices import keep_freed_memory
from fer_training.learning.distributed import Processes
from fer_training.learning.logbook import Logbook
from fer_training.learning.losses import Objective
from fer_training.learning.mixing import mixed
from fer_training.learning.optimization import (
    flushed_denormals,
    learning_rate,
    make_optimizer,
    ramped_average,
)
from fer_training.learning.resume import Stateful, keep, restore
from fer_training.learning.run_folder import BEST_WEIGHTS, EXPERIMENT, LAST_WEIGHTS
from fer_training.learning.stepping import Stepper
from fer_training.learning.teachers import Teachers
from fer_training.network.checkpoint import save_weights
from fer_training.network.fused.hybrid import FusedHybrid
from fer_training.network.model import Hybrid

Views = Literal["auto", "device", "host"]
"""Where the random views of faces are made: `random_view` on the processor, or `device_views`."""

Kernels = Literal["plain", "fused"]
"""How a step is computed: by PyTorch's own operations, or on a processor by those of `network.fused`."""


@dataclass
class Progress:
    """Where a run stands; all of it is in the checkpoint."""

    epochs_done: int = 0
    best_accuracy: float = -1.0
    best_epoch: int = 0


class Trainer:
    """Trains one experiment into a folder: checkpoint, best and last weights, `history.jsonl`."""

    def __init__(
        self,
        config: ExperimentConfig,
        folder: Path,
        device: torch.device,
        start: Hybrid | None = None,
        together: Processes | None = None,
        *,
        views: Views = "auto",
        kernels: Kernels = "plain",
        tensorboard: bool = False,
    ) -> None:
        torch.manual_seed(config.seed)
        if device.type == "cpu":
            keep_freed_memory()
        self.together = together or Processes()
        self.config, self.folder, self.device = config, folder, device
        self.views, self.tensorboard = views, tensorboard
        model = start if start is not None else Hybrid(config.model)
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.sync_batch_norm and self.together.count > 1:
            synchronise(self.model, device)
        network = FusedHybrid(self.model, device) if kernels == "fused" else self.model
        self.network = self.together.shared(network, device)
        self.average = AveragedModel(
            self.model, multi_avg_fn=ramped_average(config.ema_decay), use_buffers=True
        )
        self.optimizer = make_optimizer(self.model, config)
        self.teachers = None
        if config.distill is not None:
            self.teachers = Teachers.open(config.distill, config.model.classes, device)
        self.progress = Progress()

    def resume(self) -> bool:
        """Go on from `checkpoint.pt` if there is one; false where there is none.

        Raises:
            CheckpointError: the checkpoint is damaged or belongs to another configuration.
        """
        progress = restore(self.folder, self.config, self._parts, self.together)
        if progress is None:
            return False
        self.progress = Progress(**progress)
        return True

    def fit(self, train: LabelledFaces, validation: LabelledFaces) -> Progress:
        """Run the epochs that are left; best and last weights are those of the moving average.

        Raises:
            ConfigError: TensorBoard is asked for, and not installed; too few faces for several processes.
        """
        config, first = self.config, self.together.first
        if first:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / EXPERIMENT).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        teachers = self.teachers
        if teachers is not None and teachers.once:
            train, teachers = teachers.taught(train, config.model.image_size, self.device), None
        objective = Objective.of(config, train.targets, self.device, teachers)
        stepper = Stepper(self.network, self.optimizer, objective, self.device, config.sam_rho)
        batches = self._batches(train)
        crops = plain_crops(validation.images, validation.frames, config.model.image_size)
        start = self.progress.epochs_done
        with Logbook(self.folder, config.epochs, start, talk=first, tensorboard=self.tensorboard) as logbook:
            for epoch in range(start, config.epochs):
                with flushed_denormals():
                    loss, accuracy = self._run_epoch(stepper, batches, epoch, logbook)
                values = {"loss": loss, "train_accuracy": accuracy}
                if first:
                    model = self.averaged()
                    measured = score(model, crops, validation.targets, self.device)
                    values |= dict(zip(("accuracy", "validation_loss"), measured, strict=True))
                    self._record(model, epoch, values, logbook)
                self.together.wait()
        return self.progress

    @property
    def _parts(self) -> dict[str, Stateful]:
        return {"model": self.model, "average": self.average, "optimizer": self.optimizer}

    def averaged(self) -> Hybrid:
        """The model with averaged weights (the plain one where `ema_decay` is 0)."""
        model = self.average.module if self.config.ema_decay else self.model
        assert isinstance(model, Hybrid)  # noqa: S101, narrows the type of `AveragedModel.module`
        return model

    def _batches(self, train: LabelledFaces) -> Batches:
        config = self.config
        plan = TrainingBatches(
            train.images,
            train.frames,
            train.targets,
            config.model.image_size,
            config.batch_size,
            config.augment,
            config.seed,
            self.together.rank,
            self.together.count,
            self.device,
        )
        automatic = self.device.type != "cpu" and fits_device_views(plan)
        on_device = automatic if self.views == "auto" else self.views == "device"
        return DeviceBatches.of(plan) if on_device else plan

    def _run_epoch(
        self, stepper: Stepper, batches: Batches, epoch: int, logbook: Logbook
    ) -> tuple[float, float]:
        """One pass over the training faces; the mean loss and accuracy over all processes."""
        config, rank = self.config, self.together.rank
        # dropout repeats after a resume, and differs between processes
        torch.manual_seed(config.seed * 100_003 + epoch + rank * 1_000_000_007)
        self.model.train()
        steps = max(1, len(batches) // config.accumulate)
        total, views = torch.zeros(2, device=self.device), batches.tensors(epoch)
        with logbook.bar(epoch, steps) as bar:
            for step in range(steps):
                random = np.random.default_rng((config.seed, epoch, step, rank))
                group = [mixed(*batch, config, random) for batch in islice(views, config.accumulate)]
                measured = stepper.step(group, learning_rate(config, epoch + step / steps))
                self.average.update_parameters(self.model)
                total += measured
                logbook.show(bar, measured, step)
        loss, accuracy = (self.together.mean(total) / steps).tolist()
        return loss, accuracy

    def _record(self, model: Hybrid, epoch: int, values: dict[str, float], logbook: Logbook) -> None:
        """Weights first, checkpoint last: a kill in between repeats the epoch, and loses nothing."""
        self.progress = replace(self.progress, epochs_done=epoch + 1)
        if values["accuracy"] > self.progress.best_accuracy:
            self.progress = replace(self.progress, best_accuracy=values["accuracy"], best_epoch=epoch + 1)
            save_weights(model, self.folder / BEST_WEIGHTS)
        save_weights(model, self.folder / LAST_WEIGHTS)
        rate = float(self.optimizer.param_groups[0]["lr"])
        logbook.record(epoch, {**values, "share": float(model.share.detach())}, rate)
        keep(self.folder, self.config, self._parts, asdict(self.progress))


def score(
    model: Hybrid, crops: NDArray[np.uint8], targets: NDArray[np.float32], device: torch.device
) -> tuple[float, float]:
    """Accuracy against the top target, and mean cross-entropy."""
    logits = torch.from_numpy(predict_logits(model, crops, device))
    expected = torch.from_numpy(targets)
    accuracy = (logits.argmax(1) == expected.argmax(1)).float().mean()
    return float(accuracy), float(functional.cross_entropy(logits, expected))


@torch.inference_mode()
def predict_logits(
    model: Hybrid, crops: NDArray[np.uint8], device: torch.device, batch_size: int = 256
) -> NDArray[np.float32]:
    """Logits (N x K, float32) for crops N x S x S."""
    model.eval()
    parts = [
        model(to_pixels(crops[start : start + batch_size], device)).float().cpu().numpy()
        for start in range(0, len(crops), batch_size)
    ]
    return np.concatenate(parts)
