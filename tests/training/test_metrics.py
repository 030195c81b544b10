"""Scores against values worked out by hand."""

import numpy as np
import pytest

from fer_training.measure.calibration import brier_score, expected_calibration_error
from fer_training.measure.metrics import (
    accuracy,
    class_scores,
    confusion_matrix,
    evaluate_probabilities,
    macro_f1,
)
from fer_training.release.calibrate import fit_temperature, softmax

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 2])


def test_confusion_has_labels_in_rows() -> None:
    expected = [[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert confusion_matrix(LABELS, PREDICTED, 4).tolist() == expected


def test_scores_of_each_class_and_their_mean() -> None:
    confusion = confusion_matrix(LABELS, PREDICTED, 4)
    scores = class_scores(confusion)
    assert (scores[0].precision, scores[0].recall, scores[0].f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (scores[1].precision, scores[1].recall, scores[1].f1) == (0.5, 0.5, 0.5)
    assert (scores[3].precision, scores[3].recall, scores[3].f1, scores[3].faces) == (0, 0, 0, 0)
    assert accuracy(confusion) == pytest.approx(4 / 6)
    assert macro_f1(confusion) == pytest.approx(
        (2 / 3 + 0.5 + 1) / 3
    )  # the class without faces does not count


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.8, 0.2]] * 10)
    labels = np.array([0] * 6 + [1] * 4)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.2)
    sure = np.array([[1.0, 0.0]] * 4)
    assert expected_calibration_error(sure, np.zeros(4, np.int64)) == 0


def test_brier_score_is_zero_for_the_truth_and_two_for_its_opposite() -> None:
    assert brier_score(np.eye(3)[[0, 2]], np.array([0, 2])) == 0
    assert brier_score(np.eye(3)[[1, 1]], np.array([0, 2])) == 2


def test_evaluation_has_intervals_around_its_values() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 400)
    probabilities = random.dirichlet(np.ones(3), 400) + 0.3 * np.eye(3)[labels]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    evaluation = evaluate_probabilities("made up", ("a", "b", "c"), probabilities, labels)
    assert evaluation.faces == 400
    assert set(evaluation.recall) == {"a", "b", "c"}
    for interval in (evaluation.accuracy, evaluation.macro_f1):
        assert interval.low < interval.value < interval.high
        assert interval.high - interval.low < 0.12


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_temperature_of_overconfident_logits_is_found(temperature: float) -> None:
    random = np.random.default_rng(1)
    honest = random.normal(0, 2, (4000, 5)).astype(np.float32)
    labels = np.array([random.choice(5, p=row) for row in softmax(honest, 1.0)])
    fit = fit_temperature(honest * temperature, labels)
    assert fit.temperature == pytest.approx(temperature, rel=0.07)
    assert fit.loss_after <= fit.loss_before
    assert fit.expected_calibration_error_after < 0.03
