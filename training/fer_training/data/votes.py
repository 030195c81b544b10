"""From the ten crowd votes of a FER+ face to labels and targets (Barsoum et al. 2016)."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import EMOTIONS

Rule = Literal["majority", "probability", "argmax"]
RULES: tuple[Rule, ...] = ("majority", "probability", "argmax")

_CLASSES = len(EMOTIONS)


def without_outliers(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Single votes count as mistakes and are dropped; N x 10."""
    return np.where(votes > 1, votes, 0)


def keep_by(rule: Rule, votes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of N x 10 vote rows a rule of the FERPlus code keeps, N booleans.

    `majority`: one emotion has more than half of the votes left, and is neither unknown nor NF.
    `probability`: the top emotions, taken until they hold 75 % of them or unknown or NF comes, are at most
    three and hold more than half.
    `argmax`: no other answer has more votes than the top emotion.
    """
    left = without_outliers(votes)
    top = left[:, :_CLASSES].max(axis=1)
    if rule == "majority":
        return np.asarray(top > 0.5 * left.sum(axis=1))
    if rule == "probability":
        return np.asarray(_probable(left).sum(axis=1) > 0)
    return np.asarray((top > 0) & (top == left.max(axis=1)))


def labels_of(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The emotion with the most votes, N; the first in `EMOTIONS` order where several tie."""
    return np.asarray(without_outliers(votes)[:, :_CLASSES].argmax(axis=1))


def targets_of(votes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vote shares of the eight emotions, N x 8, rows sum to 1; outliers, unknown and NF are left out."""
    emotions = without_outliers(votes)[:, :_CLASSES].astype(np.float32)
    total = emotions.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(emotions, total, out=np.zeros_like(emotions), where=total > 0))


def _probable(left: NDArray[np.int64]) -> NDArray[np.int64]:
    """The votes that the rule `probability` keeps, N x 10; all zero where the face is dropped.

    Emotions with equally many votes are taken together: more than three by a tie drop the face.
    """
    kept = np.zeros_like(left)
    for row, votes in enumerate(left):
        total, rest, count = votes.sum(), votes.copy(), 0
        while kept[row].sum() < 0.75 * total and count < 3:
            tied = np.flatnonzero(rest == rest.max())
            emotions = tied[tied < _CLASSES]
            kept[row, emotions] = votes[emotions]
            rest[tied] = 0
            count += len(emotions)
            if len(emotions) < len(tied):  # unknown or NF is among the top
                break
        if kept[row].sum() <= 0.5 * total or count > 3:
            kept[row] = 0
    return kept
