"""Scores of predicted probabilities against labels, with 95 % bootstrap intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import Evaluation, Interval

Probabilities = NDArray[np.floating]
Labels = NDArray[np.int64]

_BINS = 15
_RESAMPLES = 1000


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


def expected_calibration_error(probabilities: Probabilities, labels: Labels, bins: int = _BINS) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by faces (Guo et al. 2017)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / max(1, len(labels)))


def brier_score(probabilities: Probabilities, labels: Labels) -> float:
    """Mean squared distance between the probabilities and the one-hot label, 0..2 (Brier 1950)."""
    one_hot = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - one_hot) ** 2).sum(axis=1).mean())


def evaluate_probabilities(
    data: str, names: tuple[str, ...], probabilities: Probabilities, labels: Labels, seed: int = 0
) -> Evaluation:
    """All scores of the card for one set of faces: probabilities N x K, labels N."""
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, len(names))
    resamples = _resampled(labels, predicted, len(names), seed)
    recalls = zip(names, class_scores(confusion), strict=True)
    return Evaluation(
        data=data,
        faces=len(labels),
        accuracy=_interval(accuracy, confusion, resamples),
        macro_f1=_interval(macro_f1, confusion, resamples),
        expected_calibration_error=round(expected_calibration_error(probabilities, labels), 4),
        recall={name: round(score.recall, 4) for name, score in recalls if score.faces},
    )


def _resampled(labels: Labels, predicted: Labels, classes: int, seed: int) -> list[NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    picks = (random.integers(0, len(labels), len(labels)) for _ in range(_RESAMPLES))
    return [confusion_matrix(labels[pick], predicted[pick], classes) for pick in picks]


def _interval(
    measure: Callable[[NDArray[np.int64]], float],
    confusion: NDArray[np.int64],
    resamples: list[NDArray[np.int64]],
) -> Interval:
    low, high = np.quantile([measure(sample) for sample in resamples], [0.025, 0.975])
    return Interval(value=round(measure(confusion), 4), low=round(float(low), 4), high=round(float(high), 4))
