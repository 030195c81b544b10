"""The training loop: cross-entropy to vote shares, a moving average of the weights, resume after a kill."""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from fer_training.crops.batches import TrainingBatches, plain_crops, to_pixels
from fer_training.data.splits import LabelledFaces
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.distributed import Processes
from fer_training.learning.optimization import (
    flushed_denormals,
    learning_rate,
    make_optimizer,
    mixed_precision,
    ramped_average,
)
from fer_training.learning.resume import Stateful, append_history, keep, restore
from fer_training.learning.run_folder import BEST_WEIGHTS, EXPERIMENT, LAST_WEIGHTS
from fer_training.network.checkpoint import save_weights
from fer_training.network.model import Hybrid


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
    ) -> None:
        torch.manual_seed(config.seed)
        self.together = together or Processes()
        self.config, self.folder, self.device = config, folder, device
        model = start if start is not None else Hybrid(config.model)
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = self.together.shared(self.model, device)
        self.average = AveragedModel(
            self.model, multi_avg_fn=ramped_average(config.ema_decay), use_buffers=True
        )
        self.optimizer = make_optimizer(self.model, config)
        self.class_weights = torch.ones(config.model.classes, device=device)
        self.progress = Progress()

    def resume(self) -> bool:
        """Go on from `checkpoint.pt` if there is one; false where there is none.

        Raises:
            CheckpointError: the checkpoint is damaged or belongs to another configuration.
        """
        progress = restore(self.folder, self.config, self._parts, self.device)
        if progress is None:
            return False
        self.progress = Progress(**progress)
        return True

    def fit(self, train: LabelledFaces, validation: LabelledFaces) -> Progress:
        """Run the epochs that are left; best and last weights are those of the moving average."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.config
        (self.folder / EXPERIMENT).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        self.class_weights = balancing_weights(train.targets, config.balance).to(self.device)
        batches = TrainingBatches(
            train.images,
            train.frames,
            train.targets,
            config.model.image_size,
            config.batch_size,
            config.augment,
            config.seed,
            self.together.rank,
            self.together.count,
        )
        crops = plain_crops(validation.images, validation.frames, config.model.image_size)
        for epoch in range(self.progress.epochs_done, config.epochs):
            with flushed_denormals():
                loss = self._run_epoch(batches, epoch)
            if self.together.first:
                model = self.averaged()
                accuracy, validation_loss = score(model, crops, validation.targets, self.device)
                self._record(
                    model, epoch, {"loss": loss, "accuracy": accuracy, "validation_loss": validation_loss}
                )
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

    def _run_epoch(self, batches: TrainingBatches, epoch: int) -> float:
        """One pass over the training faces; the mean loss."""
        torch.manual_seed(self.config.seed * 100_003 + epoch)  # dropout repeats after a resume
        self.model.train()
        total, steps = torch.zeros((), device=self.device), len(batches)
        bar = tqdm(
            batches.epoch(epoch),
            total=steps,
            desc=f"epoch {epoch + 1}/{self.config.epochs}",
            mininterval=1,
            disable=None if self.together.first else True,
        )
        for step, (crops, targets) in enumerate(bar):
            rate = learning_rate(self.config, epoch + step / steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            loss = self._step(crops, targets)
            total += loss
            if step % 20 == 0:
                bar.set_postfix(loss=f"{float(loss):.3f}", lr=f"{rate:.1e}")
        return float(total) / steps

    def _step(self, crops: NDArray[np.uint8], targets: NDArray[np.float32]) -> Tensor:
        with mixed_precision(self.device):
            logits = self.network(to_pixels(crops, self.device))
        expected = torch.from_numpy(targets).to(self.device)
        losses = functional.cross_entropy(logits.float(), expected, reduction="none")
        loss = (losses * (expected @ self.class_weights)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        return loss.detach()

    def _record(self, model: Hybrid, epoch: int, values: dict[str, float]) -> None:
        """Weights first, checkpoint last: a kill in between repeats the epoch, and loses nothing."""
        self.progress = replace(self.progress, epochs_done=epoch + 1)
        if values["accuracy"] > self.progress.best_accuracy:
            self.progress = replace(self.progress, best_accuracy=values["accuracy"], best_epoch=epoch + 1)
            save_weights(model, self.folder / BEST_WEIGHTS)
        save_weights(model, self.folder / LAST_WEIGHTS)
        line = {"epoch": epoch + 1, **values, "share": float(model.share.detach())}
        append_history(self.folder, line, keep=epoch)
        keep(self.folder, self.config, self._parts, asdict(self.progress))
        tqdm.write(
            f"epoch {epoch + 1}: loss {values['loss']:.4f}, validation loss {values['validation_loss']:.4f}, "
            f"accuracy {values['accuracy']:.4f}, a {line['share']:.3f}",
            file=sys.stderr,
        )


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


def balancing_weights(targets: NDArray[np.float32], power: float) -> Tensor:
    """The weight of each class, K: inverse frequency to a power, scaled so that the mean face weighs 1.

    A face weighs the mean over its votes: rare classes count more, and the vote shares stay the target.
    """
    frequency = torch.from_numpy(targets).mean(dim=0)
    weights = frequency.clamp(min=1 / len(targets)) ** -power
    return weights / (frequency @ weights)
