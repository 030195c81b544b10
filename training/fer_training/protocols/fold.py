"""One fold: trained in a folder of its own, its answers to the test faces kept in a file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from fer_gateway.contract import Fraction, Frozen
from fer_training.crops.batches import plain_crops
from fer_training.errors import CheckpointError
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.devices import device_named
from fer_training.learning.run_folder import BEST_WEIGHTS, CHECKPOINT, LAST_WEIGHTS
from fer_training.learning.start import start_from
from fer_training.learning.train import Kernels, Trainer, predict_logits
from fer_training.network.model import Hybrid
from fer_training.protocols.faces import ProtocolFaces
from fer_training.protocols.splits import Fold

RESULT = "result.json"

Rows = tuple[tuple[float, ...], ...]
"""Probabilities, M x K."""


class FoldResult(Frozen):
    """The answers of the last epoch's weights to the test faces of a fold."""

    name: str
    train: int = Field(description="Training faces.")
    test: tuple[int, ...] = Field(description="Indices of the test faces, M.")
    probabilities: Rows = Field(description="M x K.")
    with_mirror: Rows | None = Field(
        default=None,
        description="M x K, the mean of the answers to each face and its mirror image; older runs lack it.",
    )
    share: Fraction = Field(description="a of equation 11 at the end.")
    seconds: float = Field(ge=0, description="Of training, on one thread where the device is the processor.")

    def predicted(self) -> NDArray[np.int64]:
        """The top class of each test face, M."""
        return top_classes(self.probabilities)


def top_classes(probabilities: Rows) -> NDArray[np.int64]:
    """The most likely class of each face, M."""
    return np.asarray(np.array(probabilities).argmax(axis=1), np.int64)


@dataclass(frozen=True, slots=True)
class FoldTask:
    """All that a process needs to train one fold."""

    fold: Fold
    folder: Path
    config: ExperimentConfig
    faces: ProtocolFaces
    weights: Path | None
    """Weights to start from; none: random ones."""
    device: str
    keep_weights: bool
    kernels: Kernels = "plain"


def read_result(folder: Path) -> FoldResult | None:
    """What a finished fold left; none where it is not finished.

    Raises:
        CheckpointError: its file is damaged.
    """
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        return FoldResult.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise CheckpointError(f"`{path}` cannot be read, remove it to train again: {error}") from error


def train_fold(task: FoldTask) -> FoldResult:
    """Train to the last epoch, or go on with it; the test fold is only looked at, nothing is chosen by it.

    Raises:
        CheckpointError: weights or a checkpoint that do not fit.
    """
    done = read_result(task.folder)
    if done is not None:
        return done
    with _one_thread():
        result = _trained(task)
    partial = task.folder / f"{RESULT}.partial"
    partial.write_text(result.model_dump_json(), encoding="utf-8")
    partial.replace(task.folder / RESULT)
    (task.folder / BEST_WEIGHTS).unlink(missing_ok=True)  # the best on test faces is no honest choice
    (task.folder / CHECKPOINT).unlink(missing_ok=True)
    if not task.keep_weights:
        (task.folder / LAST_WEIGHTS).unlink(missing_ok=True)
    return result


def _trained(task: FoldTask) -> FoldResult:
    config, faces, device = task.config, task.faces, device_named(task.device)
    start = start_from(task.weights, config, faces.faces.classes).model
    trainer = Trainer(config, task.folder, device, start, kernels=task.kernels)
    trainer.resume()
    left = config.epochs - trainer.progress.epochs_done
    test = faces.faces[task.fold.test]
    began = time.monotonic()
    trainer.fit(faces.training(task.fold.train), test)
    seconds = (time.monotonic() - began) * config.epochs / max(1, left)
    model = trainer.averaged()
    crops = plain_crops(test.images, test.frames, config.model.image_size)
    answers = _answers(model, crops, device)
    mirrored = _answers(model, np.ascontiguousarray(crops[:, :, ::-1]), device)
    return FoldResult(
        name=task.fold.name,
        train=len(task.fold.train),
        test=tuple(task.fold.test.tolist()),
        probabilities=_rows(answers),
        with_mirror=_rows((answers + mirrored) / 2),
        share=float(model.share.detach()),
        seconds=round(seconds, 1),
    )


def _answers(model: Hybrid, crops: NDArray[np.uint8], device: torch.device) -> NDArray[np.float64]:
    logits = torch.from_numpy(predict_logits(model, crops, device))
    return np.asarray(logits.double().softmax(dim=1).numpy(), np.float64)


def _rows(probabilities: NDArray[np.float64]) -> Rows:
    return tuple(tuple(row) for row in probabilities.round(6).tolist())


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for the block: folds run side by side, and the same whatever their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
