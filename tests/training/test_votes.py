"""The rules of the FERPlus code, case by case."""

import numpy as np
import pytest

from fer_training.data.votes import Rule, keep_by, labels_of, targets_of

CLEAR = [0, 9, 1, 0, 0, 0, 0, 0, 0, 0]
HALF = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
SPREAD = [3, 3, 2, 2, 0, 0, 0, 0, 0, 0]
FOUR_TIED = [2, 2, 2, 2, 0, 0, 0, 0, 0, 0]
UNKNOWN = [3, 0, 0, 0, 0, 0, 0, 0, 7, 0]
NO_FACE = [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]
UNKNOWN_SECOND = [6, 0, 0, 0, 0, 0, 0, 0, 4, 0]
TIED_WITH_UNKNOWN = [5, 0, 0, 0, 0, 0, 0, 0, 5, 0]
ONLY_OUTLIERS = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("votes", "majority", "probability", "argmax"),
    [
        (CLEAR, True, True, True),
        (HALF, False, True, True),
        (SPREAD, False, False, True),  # the tie of 2 and 2 brings in a fourth emotion
        (FOUR_TIED, False, False, True),
        (UNKNOWN, False, False, False),
        (NO_FACE, False, False, False),
        (UNKNOWN_SECOND, True, True, True),
        (TIED_WITH_UNKNOWN, False, False, True),  # half of the votes is not more than half
        (ONLY_OUTLIERS, False, False, False),
    ],
)
def test_rules_keep_and_drop(votes: list[int], majority: bool, probability: bool, argmax: bool) -> None:
    expected: dict[Rule, bool] = {"majority": majority, "probability": probability, "argmax": argmax}
    assert {rule: bool(keep_by(rule, np.array([votes]))[0]) for rule in expected} == expected


def test_targets_are_vote_shares_without_outliers_and_unknown() -> None:
    targets = targets_of(np.array([[1, 6, 2, 0, 0, 0, 0, 0, 5, 0], ONLY_OUTLIERS]))
    np.testing.assert_allclose(targets[0], [0, 0.75, 0.25, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(targets[1], np.zeros(8))


def test_label_is_the_top_emotion_even_below_unknown() -> None:
    assert labels_of(np.array([CLEAR, UNKNOWN, SPREAD])).tolist() == [1, 0, 0]
