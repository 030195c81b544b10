"""Smoothing over time: how much noise it takes away, how soon it shows a change, and what it never does."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_gateway.tracking.smoother import CALM_MS, FORGET_MS, Smoother

CLASSES = 8


def favouring(label: int, confidence: float = 0.9) -> NDArray[np.float64]:
    row = np.full(CLASSES, (1 - confidence) / (CLASSES - 1))
    row[label] = confidence
    return row


def labels_of(rows: NDArray[np.float64], step_ms: float) -> list[int]:
    smoother = Smoother()
    return [smoother.smooth(0, row, number * step_ms).label for number, row in enumerate(rows)]


def changes(labels: list[int]) -> int:
    return sum(first != second for first, second in pairwise(labels))


def noisy(spread: float, frames: int = 3000) -> NDArray[np.float64]:
    """Two classes that are equally probable but for noise in the logits."""
    logits = np.full((frames, CLASSES), -3.0)
    logits[:, :2] = 0
    logits += np.random.default_rng(0).normal(0, spread, logits.shape)
    rows = np.exp(logits)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float64)


def coins(frames: int = 3000) -> NDArray[np.float64]:
    """Sure of one of two classes in every frame, at random: the worst that can come."""
    sides = np.random.default_rng(0).integers(0, 2, frames)
    return np.stack([favouring(int(side)) for side in sides])


@pytest.mark.parametrize(
    "rows", [noisy(0.3), noisy(0.7), noisy(1.5), coins()], ids=["0.3", "0.7", "1.5", "coins"]
)
def test_noise_at_thirty_frames_a_second(rows: NDArray[np.float64]) -> None:
    """At most a tenth of the changes is left; measured: 1 % to 4 %."""
    raw = changes([int(row.argmax()) for row in rows])
    assert raw > 1000
    assert changes(labels_of(rows, 1000 / 30)) <= raw / 10


@pytest.mark.parametrize("frames_per_second", [5, 8, 10, 15, 20, 30, 60])
@pytest.mark.parametrize("confidence", [0.6, 0.75, 0.95])
def test_lag_of_a_change(frames_per_second: int, confidence: float) -> None:
    step_ms = 1000 / frames_per_second
    before = round(2000 / step_ms)
    rows = np.stack([favouring(1, confidence)] * before + [favouring(4, confidence)] * before)
    labels = labels_of(rows, step_ms)
    assert set(labels[:before]) == {1}
    lag_ms = (labels.index(4) - before) * step_ms
    assert lag_ms < 250


@pytest.mark.parametrize("step_ms", [10.0, 33.0, 100.0, 200.0, 400.0])
def test_one_frame_changes_no_label(step_ms: float) -> None:
    rows = np.stack([favouring(1)] * 20 + [favouring(4, 0.99)] + [favouring(1)] * 20)
    assert set(labels_of(rows, step_ms)) == {1}


@pytest.mark.parametrize("step_ms", [10.0, 50.0, 200.0])
def test_calm_smoothing_is_the_same_at_any_frame_rate(step_ms: float) -> None:
    """A small change, so that it counts as noise: s = p1 + (p0 - p1) exp(-t / tau)."""
    smoother = Smoother()
    smoother.smooth(0, favouring(1, 0.9), 0.0)
    for number in range(1, round(400 / step_ms) + 1):
        shown = smoother.smooth(0, favouring(1, 0.8), number * step_ms)
    assert shown.probabilities[1] == pytest.approx(0.8 + 0.1 * math.exp(-400 / CALM_MS))


def test_the_first_frame_counts_as_it_is() -> None:
    shown = Smoother().smooth(0, favouring(3), 12.0)
    assert shown.label == 3
    np.testing.assert_array_equal(shown.probabilities, favouring(3))


def test_faces_do_not_mix() -> None:
    smoother = Smoother()
    for number in range(20):
        first = smoother.smooth(0, favouring(1), number * 33.0)
        second = smoother.smooth(1, favouring(5), number * 33.0)
    assert (first.label, second.label) == (1, 5)
    np.testing.assert_allclose(second.probabilities, favouring(5))


@pytest.mark.parametrize("forget", ["pause", "keep"])
def test_forgotten_faces_start_anew(forget: str) -> None:
    smoother = Smoother()
    smoother.smooth(0, favouring(1), 0.0)
    if forget == "keep":
        smoother.keep([1, 2])
    shown = smoother.smooth(0, favouring(4), 1.0 if forget == "keep" else FORGET_MS + 1)
    assert shown.label == 4
    np.testing.assert_array_equal(shown.probabilities, favouring(4))


def test_kept_faces_stay() -> None:
    smoother = Smoother()
    smoother.smooth(0, favouring(1), 0.0)
    smoother.keep({0})
    assert smoother.smooth(0, favouring(4), 33.0).label == 1


times = st.floats(allow_nan=False, min_value=-1e12, max_value=1e12)
logits = st.lists(st.floats(-30, 30), min_size=CLASSES, max_size=CLASSES)


@given(st.lists(st.tuples(st.integers(0, 2), logits, times), min_size=1, max_size=30))
def test_always_distributions(frames: list[tuple[int, list[float], float]]) -> None:
    """Whatever the times do: no error, and probabilities between those that came."""
    smoother = Smoother()
    came: dict[int, list[NDArray[np.float64]]] = {}
    for id_, values, now_ms in frames:
        row = np.exp(np.array(values) - max(values))
        row /= row.sum()
        came.setdefault(id_, []).append(row)
        shown = smoother.smooth(id_, row, now_ms)
        assert 0 <= shown.label < CLASSES
        assert shown.probabilities.sum() == pytest.approx(1)
        low, high = np.min(came[id_], axis=0), np.max(came[id_], axis=0)
        assert np.all((shown.probabilities >= low - 1e-12) & (shown.probabilities <= high + 1e-12))


@given(st.lists(times, min_size=1, max_size=10))
def test_a_steady_face_stays_as_it_is(moments_ms: list[float]) -> None:
    smoother = Smoother()
    for now_ms in moments_ms:
        shown = smoother.smooth(0, favouring(2, 0.7), now_ms)
        assert shown.label == 2
        np.testing.assert_allclose(shown.probabilities, favouring(2, 0.7))
