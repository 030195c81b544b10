"""What a report shows: a finished protocol, or a run of `train`, read back from its folder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_training.errors import CheckpointError
from fer_training.learning.run_folder import HISTORY, read_experiment
from fer_training.protocols.fold import FoldResult, read_result
from fer_training.protocols.summary import SUMMARY, Summary, read_summary

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curves:
    """Folds x epochs for each quantity; what no history told is empty."""

    loss: Values
    validation_loss: Values
    train_accuracy: Values
    accuracy: Values
    share: Values


@dataclass(frozen=True, slots=True)
class Run:
    """One folder."""

    title: str
    curves: Curves
    summary: Summary | None
    """None for a run of `train`, which has no test of its own."""
    results: tuple[FoldResult, ...]


def open_run(folder: Path) -> Run:
    """Read a folder of `crossvalidate` or `train`.

    Raises:
        CheckpointError: neither is there, or it is not finished or damaged.
    """
    if not (folder / SUMMARY).is_file() and (folder / HISTORY).is_file():
        return Run(read_experiment(folder).name, _curves([folder]), None, ())
    summary = read_summary(folder)
    folders = [folder / fold.name for fold in summary.folds]
    results = [read_result(one) for one in folders]
    finished = tuple(result for result in results if result is not None)
    if len(finished) < len(folders):
        raise CheckpointError(f"`{folder}` lacks results of its folds; run `crossvalidate` on it again")
    return Run(summary.plan.title, _curves(folders), summary, finished)


def _curves(folders: Sequence[Path]) -> Curves:
    histories = [_history(folder / HISTORY) for folder in folders]
    epochs = min(map(len, histories))
    return Curves(
        **{
            name: np.array(
                [[line.get(name, np.nan) for line in lines[:epochs]] for lines in histories], float
            )
            for name in Curves.__dataclass_fields__
        }
    )


def _history(path: Path) -> list[dict[str, float]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [dict(json.loads(line)) for line in lines]
    except (OSError, ValueError) as error:
        raise CheckpointError(f"`{path}` cannot be read: {error}") from error
