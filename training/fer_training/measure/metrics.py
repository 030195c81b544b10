"""Scores of predicted probabilities against labels, with 95 % bootstrap intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import ClassScores, Evaluation, Interval
from fer_training.measure.bootstrap import interval_of, resamples
from fer_training.measure.calibration import calibration_scores, expected_calibration_error

Probabilities = NDArray[np.floating]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Precision, recall and F1 of one class (equations 14-16); `faces` carry its label."""

    precision: float
    recall: float
    f1: float
    faces: int


def confusion_matrix(labels: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """Counts, classes x classes: row = label, column = prediction."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def class_scores(confusion: NDArray[np.int64]) -> list[ClassScore]:
    """One `ClassScore` a class; a score without a single case is 0."""
    hits = confusion.diagonal().astype(float)
    faces, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    recall = hits / np.maximum(faces, 1)
    precision = hits / np.maximum(predicted, 1)
    f1 = 2 * hits / np.maximum(faces + predicted, 1)
    rows = zip(precision.tolist(), recall.tolist(), f1.tolist(), faces.tolist(), strict=True)
    return [ClassScore(*row) for row in rows]


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Unweighted mean of the F1 of the classes that occur."""
    return float(np.mean([score.f1 for score in class_scores(confusion) if score.faces]))


def accuracy(confusion: NDArray[np.int64]) -> float:
    """Share of right predictions (13, for several classes)."""
    return float(confusion.trace() / max(1, confusion.sum()))


def evaluate_probabilities(
    data: str,
    names: tuple[str, ...],
    probabilities: Probabilities,
    labels: Labels,
    votes: Probabilities | None = None,
    *,
    seed: int = 0,
) -> Evaluation:
    """All scores of the card for one set of faces: probabilities N x K, labels N, raters' shares N x K."""
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, len(names))
    drawn = [
        confusion_matrix(labels[rows], predicted[rows], len(names)) for rows in resamples(len(labels), seed)
    ]
    classes = _classes(names, confusion, drawn)
    return Evaluation(
        data=data,
        faces=len(labels),
        accuracy=_interval(accuracy, confusion, drawn),
        macro_f1=_interval(macro_f1, confusion, drawn),
        expected_calibration_error=round(expected_calibration_error(probabilities, labels), 4),
        recall={name: scores.recall.value for name, scores in classes.items()},
        classes=classes,
        calibration=calibration_scores(probabilities, labels, votes, seed),
    )


def _classes(
    names: tuple[str, ...], confusion: NDArray[np.int64], drawn: list[NDArray[np.int64]]
) -> dict[str, ClassScores]:
    """The classes that occur, with intervals; a draw without a face of the class gives its scores a 0."""
    scores, again = class_scores(confusion), [class_scores(sample) for sample in drawn]

    def interval(place: int, measure: Callable[[ClassScore], float]) -> Interval:
        return interval_of(measure(scores[place]), [measure(sample[place]) for sample in again])

    return {
        name: ClassScores(
            faces=scores[place].faces,
            precision=interval(place, lambda score: score.precision),
            recall=interval(place, lambda score: score.recall),
            f1=interval(place, lambda score: score.f1),
        )
        for place, name in enumerate(names)
        if scores[place].faces
    }


def _interval(
    measure: Callable[[NDArray[np.int64]], float],
    confusion: NDArray[np.int64],
    drawn: list[NDArray[np.int64]],
) -> Interval:
    return interval_of(measure(confusion), [measure(sample) for sample in drawn])
