"""Scores of confidence against values worked out by hand, and against answers known to be calibrated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_gateway.contract import Evaluation
from fer_training.measure.bootstrap import interval_of_mean
from fer_training.measure.calibration import (
    calibration_scores,
    entropy_agreement,
    entropy_bits,
    expected_calibration_error,
    ranks,
)
from fer_training.measure.metrics import evaluate_probabilities
from fer_training.measure.report import print_table, to_dict

NAMES = ("a", "b", "c")


def calibrated(count: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Answers that are right exactly as often as they say."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet((0.7, 0.7, 0.7), count)
    return probabilities, np.array([random.choice(3, p=row) for row in probabilities])


def test_four_answers_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.0, 0.7], [0.6, 0.4, 0.0]])
    scores = calibration_scores(probabilities, np.array([0, 1, 0, 1]))
    assert scores.brier_score.value == pytest.approx((0.02 + 0.08 + 0.98 + 0.72) / 4)
    expected = -np.log([0.9, 0.8, 0.3, 0.4]).mean()
    assert scores.negative_log_likelihood.value == pytest.approx(expected, abs=1e-4)
    assert scores.expected_calibration_error.value == pytest.approx((0.1 + 0.2 + 0.7 + 0.6) / 4)
    # the two most confident are right, the two others wrong
    assert scores.risk_coverage_area == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4, abs=1e-4)
    assert [(point.coverage, point.confidence, point.error) for point in scores.risk_coverage][::5] == [
        (1.0, 0.6, 0.5),
        (0.5, 0.8, 0.0),
    ]
    assert [(one.faces, one.confidence, one.accuracy) for one in scores.reliability] == [
        (1, 0.6, 0.0),
        (1, 0.7, 0.0),
        (1, 0.8, 1.0),
        (1, 0.9, 1.0),
    ]


def test_an_impossible_label_costs_much_and_not_everything() -> None:
    scores = calibration_scores(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
    assert 5 < scores.negative_log_likelihood.value < 20


def test_the_error_of_calibrated_answers_is_that_of_chance() -> None:
    """And falls with the number of faces, though nothing about the answers changes."""
    few, many = (calibration_scores(*calibrated(count)) for count in (150, 6000))
    for scores in (few, many):
        error, chance = scores.expected_calibration_error, scores.expected_calibration_error_of_chance
        assert 0.5 * chance < error.value < 1.8 * chance
    assert few.expected_calibration_error_of_chance > 3 * many.expected_calibration_error_of_chance


def test_overconfidence_is_more_than_chance() -> None:
    probabilities, labels = calibrated(3000)
    sharper = probabilities**2.5
    sharper /= sharper.sum(axis=1, keepdims=True)
    scores, honest = calibration_scores(sharper, labels), calibration_scores(probabilities, labels)
    assert scores.expected_calibration_error.low > 3 * scores.expected_calibration_error_of_chance
    assert scores.brier_score.value > honest.brier_score.value
    assert scores.negative_log_likelihood.value > honest.negative_log_likelihood.value
    gaps = [one.confidence - one.accuracy for one in scores.reliability if one.faces > 50]
    assert min(gaps) > 0
    assert sum(one.faces for one in scores.reliability) == 3000


def test_error_falls_with_coverage_where_confidence_means_something() -> None:
    scores = calibration_scores(*calibrated(4000))
    errors = [point.error for point in scores.risk_coverage]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.7 * errors[0]
    assert scores.risk_coverage_area < errors[0]


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    intervals = [interval_of_mean(random.random(80) < 0.7, seed) for seed in range(60)]
    holding = sum(interval.low <= 0.7 <= interval.high for interval in intervals)
    assert 50 <= holding <= 60


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=40))
def test_ranks_are_those_of_the_sorted_places(values: list[int]) -> None:
    given = ranks(np.array(values, np.float64))
    for value, rank in zip(values, given, strict=True):
        below, equal = sum(other < value for other in values), sum(other == value for other in values)
        assert rank == below + (equal + 1) / 2


def test_entropy_in_bits() -> None:
    shares = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    assert entropy_bits(shares).tolist() == [0, 1, 2]


def test_agreement_of_entropies() -> None:
    random = np.random.default_rng(1)
    votes = random.dirichlet(np.ones(4), 500)
    same = entropy_agreement(votes, votes)
    assert same is not None
    assert (same.spearman, same.pearson) == (1, 1)
    assert sum(group.faces for group in same.bins) == 500
    means = [group.votes for group in same.bins]
    assert means == sorted(means)
    assert len(means) == 4
    assert [group.prediction for group in same.bins] == means
    votes[:200] = [1, 0, 0, 0]
    agreeing = entropy_agreement(random.dirichlet(np.ones(4), 500), votes)
    assert agreeing is not None
    assert (agreeing.bins[0].faces, agreeing.bins[0].votes) == (200, 0)
    assert len(agreeing.bins) == 5
    votes = random.dirichlet(np.ones(4), 500)
    other = entropy_agreement(random.dirichlet(np.ones(4), 500), votes)
    assert other is not None
    assert abs(other.spearman) < 0.15
    assert abs(other.pearson) < 0.15


def test_votes_that_never_disagree_say_nothing_about_doubt() -> None:
    probabilities, labels = calibrated(50)
    assert entropy_agreement(probabilities, np.eye(3)[labels]) is None
    assert calibration_scores(probabilities, labels, np.eye(3)[labels]).entropy is None


def test_each_class_has_its_interval_and_an_absent_one_none() -> None:
    probabilities, labels = calibrated(600)
    labels = np.where(labels == 2, 0, labels)
    evaluation = evaluate_probabilities("made up", NAMES, probabilities, labels)
    assert set(evaluation.classes) == set(evaluation.recall) == {"a", "b"}
    assert sum(scores.faces for scores in evaluation.classes.values()) == 600
    for scores in evaluation.classes.values():
        for interval in (scores.precision, scores.recall, scores.f1):
            assert interval.low < interval.value < interval.high


def test_the_report_says_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    probabilities, labels = calibrated(200)
    votes = np.random.default_rng(0).dirichlet(np.ones(3), 200)
    evaluation = evaluate_probabilities("made up", NAMES, probabilities, labels, votes)
    print_table(evaluation)
    lines = capsys.readouterr().out.splitlines()
    for words in ("Brier score", "negative log likelihood", "error at 50% coverage", "Spearman", "by chance"):
        assert sum(words in line for line in lines) == 1
    values = to_dict(evaluation)
    assert {"n", "accuracy", "macro_f1", "ece", "per_class", "calibration"} <= set(values)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(values["ece"], abs=1e-4)


def test_a_card_from_before_still_loads() -> None:
    interval = {"value": 0.8, "low": 0.7, "high": 0.9}
    old = {
        "data": "FER+ test, majority",
        "faces": 10,
        "accuracy": interval,
        "macro_f1": interval,
        "expected_calibration_error": 0.02,
        "recall": {"neutral": 0.9},
    }
    assert Evaluation.model_validate(old).calibration is None
