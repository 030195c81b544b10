"""What a fold and a whole protocol score: averages over classes, intervals over folds and over people."""

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import Fraction, Frozen, Interval
from fer_training.measure.metrics import accuracy, class_scores, confusion_matrix

Confusion = NDArray[np.int64]

_DIGITS = 5
_DRAWS = 2000

# Two-sided 95 % quantiles of Student's t for 1, 2 ... 30 degrees of freedom; beyond, see `t_quantile`
_T_95 = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
)  # fmt: skip


class Averages(Frozen):
    """Accuracy (13), and precision, recall and F1 (14-16) averaged over the classes that occur.

    `macro`: each class counts the same; `weighted`: by its number of test faces.
    """

    accuracy: Fraction
    macro_precision: Fraction
    macro_recall: Fraction
    macro_f1: Fraction
    weighted_precision: Fraction
    weighted_recall: Fraction
    weighted_f1: Fraction


class AverageIntervals(Frozen):
    """The same, each with a 95 % interval."""

    accuracy: Interval
    macro_precision: Interval
    macro_recall: Interval
    macro_f1: Interval
    weighted_precision: Interval
    weighted_recall: Interval
    weighted_f1: Interval


def averages(confusion: Confusion) -> Averages:
    """Of a confusion matrix, row = label, column = prediction."""
    scores = [score for score in class_scores(confusion) if score.faces]
    rows = np.array([(score.precision, score.recall, score.f1) for score in scores])
    weights = np.array([score.faces for score in scores], float)
    values = (accuracy(confusion), *rows.mean(axis=0), *(weights / weights.sum()) @ rows)
    return Averages(**dict(zip(Averages.model_fields, np.clip(values, 0, 1).tolist(), strict=True)))


def over_folds(folds: list[Averages]) -> AverageIntervals | None:
    """Means over folds or seeds, with Student's t interval; none for a single one, which has no spread.

    Folds share most of their training faces: the interval says how far these folds scatter, and is too narrow
    for another draw of the data (Bengio, Grandvalet 2004).
    """
    if len(folds) < 2:
        return None
    values = np.array([list(fold.model_dump().values()) for fold in folds])
    half = t_quantile(len(folds) - 1) * values.std(axis=0, ddof=1) / np.sqrt(len(folds))
    means = values.mean(axis=0)
    return _intervals(means, means - half, means + half)


def over_people(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    subjects: NDArray[np.int64],
    classes: int,
    seed: int = 0,
) -> AverageIntervals:
    """Of all test faces together (N each), with a bootstrap that draws people, not faces.

    Faces of one person are right or wrong together, those of one sequence above all: drawing faces would make
    the interval far too narrow.
    """
    people, place = np.unique(subjects, return_inverse=True)
    each = np.zeros((len(people), classes, classes), np.int64)
    np.add.at(each, (place, labels, predicted), 1)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(people), np.full(len(people), 1 / len(people)), _DRAWS)
    confusions = (drawn @ each.reshape(len(people), -1)).reshape(-1, classes, classes)
    values = [list(averages(confusion).model_dump().values()) for confusion in confusions]
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    whole = averages(confusion_matrix(labels, predicted, classes))
    return _intervals(np.array(list(whole.model_dump().values())), low, high)


def t_quantile(degrees: int) -> float:
    """The two-sided 95 % quantile of Student's t (Abramowitz, Stegun 26.7.5 from 31 degrees on)."""
    if degrees <= len(_T_95):
        return _T_95[degrees - 1]
    z = 1.959964
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def _intervals(
    values: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> AverageIntervals:
    rows = zip(
        AverageIntervals.model_fields,
        values.tolist(),
        low.clip(min=0).tolist(),
        high.clip(max=1).tolist(),
        strict=True,
    )
    return AverageIntervals(
        **{
            name: Interval(value=round(value, _DIGITS), low=round(low, _DIGITS), high=round(high, _DIGITS))
            for name, value, low, high in rows
        }
    )
