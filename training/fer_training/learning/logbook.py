"""What a run says of itself: a bar while an epoch runs, a line after it, its history, TensorBoard."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import torch
from tqdm import tqdm

from fer_training.errors import ConfigError
from fer_training.learning.resume import append_history

SCALARS = "tensorboard"
"""The folder of TensorBoard's files in that of the run."""


class Logbook:
    """Of one run of `epochs`, from the one that it starts or goes on with; silent unless it may `talk`."""

    def __init__(
        self, folder: Path, epochs: int, first_epoch: int, *, talk: bool = True, tensorboard: bool = False
    ) -> None:
        """Open it.

        Raises:
            ConfigError: TensorBoard is asked for, and not installed.
        """
        self._folder, self._epochs, self._first, self._talk = folder, epochs, first_epoch, talk
        self._scalars = _writer(folder, first_epoch) if tensorboard and talk else None
        self._started_s = time.monotonic()

    def bar(self, epoch: int, steps: int) -> "tqdm[Any]":
        """A bar over the steps of an epoch; none where the output is no terminal."""
        description = f"epoch {epoch + 1}/{self._epochs}"
        return tqdm(total=steps, desc=description, mininterval=1, disable=None if self._talk else True)

    @staticmethod
    def show(bar: "tqdm[Any]", measured: torch.Tensor, step: int) -> None:
        """Count a step; now and then show its loss and accuracy (2), since reading waits for the device."""
        bar.update()
        if step % 20 == 0 and not bar.disable:
            loss, accuracy = measured.tolist()
            bar.set_postfix_str(f"loss {loss:.3f}, accuracy {accuracy:.3f}")

    def record(self, epoch: int, values: Mapping[str, float], rate: float) -> None:
        """Keep the numbers of a finished epoch, counted from 0, and say them; `rate` is that of its end."""
        append_history(self._folder, {"epoch": epoch + 1, **values}, keep=epoch)
        if self._scalars is not None:
            for name, value in {**values, "learning_rate": rate}.items():
                self._scalars.add_scalar(name, value, epoch + 1)
            self._scalars.flush()
        if self._talk:
            tqdm.write(
                f"epoch {epoch + 1}/{self._epochs}: loss {values['loss']:.4f}, "
                f"training accuracy {values['train_accuracy']:.4f}, "
                f"validation loss {values['validation_loss']:.4f}, accuracy {values['accuracy']:.4f}, "
                f"a {values['share']:.3f}, {self._left(epoch + 1)}",
                file=sys.stderr,
            )

    def _left(self, done: int) -> str:
        a_epoch_s = (time.monotonic() - self._started_s) / (done - self._first)
        return f"{duration(a_epoch_s * (self._epochs - done))} left"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._scalars is not None:
            self._scalars.close()


class Scalars(Protocol):
    """What is used of TensorBoard's `SummaryWriter`."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None: ...  # noqa: D102
    def flush(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


def duration(seconds: float) -> str:
    """For people: `1 h 05 min`, `3 min`, `20 s`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def _writer(folder: Path, first_epoch: int) -> Scalars:
    """Epochs that are repeated after a resume replace the ones before."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415, an extra
    except ImportError as error:
        raise ConfigError(
            '`--tensorboard` needs a package that is not here: pip install "fer-gateway[tensorboard]"'
        ) from error
    writer: Scalars = SummaryWriter(str(folder / SCALARS), purge_step=first_epoch + 1)
    return writer
