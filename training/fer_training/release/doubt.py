"""The confidence under which an answer is called uncertain: the lowest that keeps a promised error."""

import numpy as np

from fer_gateway.contract import Doubt
from fer_training.measure.metrics import Labels, Probabilities

ERROR = 0.10
"""Share of wrong answers allowed among those that are not called uncertain."""

_STEPS = 1000


def choose_doubt(probabilities: Probabilities, labels: Labels, data: str, error: float = ERROR) -> Doubt:
    """The lowest threshold, in steps of 0.001, whose kept answers are wrong in at most `error` of all cases.

    Where no threshold brings that, it is 1: every answer that leaves any doubt is uncertain.

    Args:
        probabilities: N x K, calibrated.
        labels: N.
        data: name of these faces, for the card.
        error: share, 0..1.
    """
    confidence = probabilities.max(axis=1)
    wrong = probabilities.argmax(axis=1) != labels
    order = np.argsort(-confidence, kind="stable")
    kept = np.searchsorted(-confidence[order], -np.arange(_STEPS + 1) / _STEPS, side="right")
    wrong_kept = np.concatenate([[0], np.cumsum(wrong[order])])[kept]
    allowed = np.flatnonzero(wrong_kept <= error * kept)  # where nothing is kept, nothing is wrong
    step = int(allowed[0]) if len(allowed) else _STEPS
    return measure_doubt(probabilities, labels, step / _STEPS, data)


def measure_doubt(probabilities: Probabilities, labels: Labels, uncertain_below: float, data: str) -> Doubt:
    """What a threshold brings on these faces: probabilities N x K, labels N."""
    kept = probabilities.max(axis=1) >= uncertain_below
    wrong = probabilities.argmax(axis=1) != labels
    return Doubt(
        uncertain_below=uncertain_below,
        coverage=round(float(kept.mean()), 4) if len(kept) else 0.0,
        error=round(float(wrong[kept].mean()), 4) if kept.any() else 0.0,
        data=data,
    )


def doubt_line(doubt: Doubt) -> str:
    """A threshold and what it brings, for people."""
    return (
        f"uncertain below {doubt.uncertain_below:.3f}: {doubt.coverage:.1%} of the answers stay, "
        f"{doubt.error:.1%} of them wrong ({doubt.data})"
    )
