"""The gates that a model in another precision must pass to be released."""

import numpy as np
import pytest

from fer_training.errors import QuantisationError
from fer_training.release.parity import Parity, check_gates, compare


def test_parity_of_two_sets_of_answers() -> None:
    reference = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]], np.float32)
    other = np.array([[0.8, 0.2], [0.4, 0.6], [0.2, 0.8], [0.5, 0.5]], np.float32)
    parity = compare(reference, other, np.array([0, 0, 1, 1]))
    assert parity.lost_points == pytest.approx(25)
    assert parity.mean_difference == pytest.approx((2 * 0.1 + 2 * 0.2) / 8)
    assert parity.greatest_difference == pytest.approx(0.2)
    assert parity.agreement == 0.75


@pytest.mark.parametrize(
    ("parity", "gate"),
    [
        (Parity(0.5, 0.005, 0.25, 0.98), None),
        (Parity(-3.0, 0.0, 0.0, 1.0), None),
        (Parity(0.51, 0.0, 0.0, 1.0), "accuracy"),
        (Parity(0.0, 0.0051, 0.1, 1.0), "mean difference"),
        (Parity(0.0, 0.001, 0.26, 1.0), "greatest difference"),
        (Parity(0.0, 0.001, 0.1, 0.979), "agreement"),
        (Parity(0.0, float("nan"), 0.1, 1.0), "mean difference"),
    ],
)
def test_gates(parity: Parity, gate: str | None) -> None:
    if gate is None:
        check_gates(parity)
        return
    with pytest.raises(QuantisationError, match=f"gate `{gate}`"):
        check_gates(parity)
