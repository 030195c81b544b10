"""The threshold under which answers are uncertain: the lowest that keeps its promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_training.release.doubt import choose_doubt, doubt_line, measure_doubt


def answers(confidence: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two classes with these confidences, and labels that make them right or not."""
    top = np.array(confidence)
    return np.column_stack([top, 1 - top]), np.where(right, 0, 1)


def test_a_threshold_worked_out_by_hand() -> None:
    """Of the four most confident answers one is wrong; the fifth, at 0.6, is the second wrong one."""
    probabilities, labels = answers([0.95, 0.9, 0.8, 0.7, 0.6], [True, False, True, True, False])
    doubt = choose_doubt(probabilities, labels, "by hand", error=0.25)
    assert doubt.model_dump() == {"uncertain_below": 0.601, "coverage": 0.8, "error": 0.25, "data": "by hand"}


@pytest.mark.parametrize(
    ("right", "error", "threshold"),
    [
        ([True] * 4, 0.0, 0.0),
        ([False] * 4, 0.1, 0.901),
        ([True, False, True, True], 0.0, 0.801),
        ([True, False, True, True], 0.25, 0.0),
        ([False] * 4, 1.0, 0.0),
    ],
)
def test_thresholds(right: list[bool], error: float, threshold: float) -> None:
    probabilities, labels = answers([0.9, 0.8, 0.7, 0.6], right)
    assert choose_doubt(probabilities, labels, "x", error).uncertain_below == threshold


def test_wrong_answers_without_a_doubt_leave_every_other_one_uncertain() -> None:
    probabilities, labels = answers([1.0, 1.0, 0.9], [False, False, True])
    doubt = choose_doubt(probabilities, labels, "x", error=0.1)
    assert (doubt.uncertain_below, doubt.error) == (1.0, 1.0)


@given(
    st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1, max_size=60),
    st.sampled_from([0.0, 0.05, 0.1, 0.3]),
)
def test_the_promise_is_kept_and_no_lower_threshold_keeps_it(
    rows: list[tuple[float, bool]], error: float
) -> None:
    probabilities, labels = answers([row[0] for row in rows], [row[1] for row in rows])
    doubt = choose_doubt(probabilities, labels, "x", error)
    if doubt.uncertain_below < 1:
        assert doubt.error <= error + 5e-5
    for lower in np.arange(0, 1001)[: round(doubt.uncertain_below * 1000)]:
        kept = probabilities.max(axis=1) >= lower / 1000
        assert (probabilities.argmax(axis=1) != labels)[kept].mean() > error


def test_what_a_threshold_brings_elsewhere() -> None:
    probabilities, labels = answers([0.9, 0.8, 0.6], [True, False, False])
    doubt = measure_doubt(probabilities, labels, 0.8, "FER+ test, majority")
    assert (doubt.coverage, doubt.error) == (0.6667, 0.5)
    assert doubt_line(doubt) == (
        "uncertain below 0.800: 66.7% of the answers stay, 50.0% of them wrong (FER+ test, majority)"
    )
