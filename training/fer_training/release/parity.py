"""How far another precision of a model answers like its float32, and how far it must to be released."""

from dataclasses import dataclass

import numpy as np

from fer_training.errors import QuantisationError
from fer_training.measure.metrics import Labels, Probabilities

LOST_POINTS = 0.5
"""Percentage points of validation accuracy that may be lost."""

MEAN_DIFFERENCE = 0.005
"""Of probabilities: with eight classes, at most two hundredths of the whole move between classes."""

GREATEST_DIFFERENCE = 0.25
"""Of any probability of any face: a label may change where two were close, no answer is turned round."""

AGREEMENT = 0.98
"""Share of faces that keep their label."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Two models on the same faces."""

    lost_points: float
    """Percentage points by which the second is less accurate."""
    mean_difference: float
    """Mean absolute difference of probabilities, over faces and classes."""
    greatest_difference: float
    agreement: float
    """Share of faces with the same label."""


def compare(reference: Probabilities, other: Probabilities, labels: Labels) -> Parity:
    """Probabilities of both models, N x K each, and labels N."""
    difference = np.abs(reference.astype(np.float64) - other)
    before, after = reference.argmax(axis=1), other.argmax(axis=1)
    return Parity(
        lost_points=100 * float((before == labels).mean() - (after == labels).mean()),
        mean_difference=float(difference.mean()),
        greatest_difference=float(difference.max()),
        agreement=float((before == after).mean()),
    )


def check_gates(parity: Parity) -> None:
    """Let only a model pass that may take the place of its float32.

    Raises:
        QuantisationError: names the gate, the value and what is allowed.
    """
    gates = (
        ("accuracy", " points lost", parity.lost_points, "at most", LOST_POINTS),
        ("mean difference", "", parity.mean_difference, "at most", MEAN_DIFFERENCE),
        ("greatest difference", "", parity.greatest_difference, "at most", GREATEST_DIFFERENCE),
        ("agreement", "", parity.agreement, "at least", AGREEMENT),
    )
    for gate, unit, value, bound, allowed in gates:
        passed = value >= allowed if bound == "at least" else value <= allowed  # so that NaN fails
        if not passed:
            raise QuantisationError(
                f"not released, nothing was written: gate `{gate}`: {value:.4g}{unit}, "
                f"{bound} {allowed:g} is allowed; leave more layers in float (`--float`)"
            )
