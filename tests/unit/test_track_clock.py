"""The time of a stream."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_gateway.tracking.clock import FRAME_MS, LONGEST_STEP_MS, StreamClock


@pytest.mark.parametrize(
    ("captured_ms", "expected_ms"),
    [
        ([0.0, 40.0, 100.0], [0.0, 40.0, 100.0]),
        ([5000.0, 5033.0], [0.0, 33.0]),
        ([-70.0, -30.0], [0.0, 40.0]),
        ([7.0, 7.0, 7.0], [0.0, FRAME_MS, 2 * FRAME_MS]),
        ([1000.0, 0.0, 40.0], [0.0, FRAME_MS, FRAME_MS + 40.0]),
        ([0.0, 1e300], [0.0, LONGEST_STEP_MS]),
        ([-1e308, 1e308], [0.0, LONGEST_STEP_MS]),
        ([0.0, math.nan, 40.0], [0.0, FRAME_MS, 2 * FRAME_MS]),
        ([0.0, math.inf], [0.0, FRAME_MS]),
    ],
)
def test_table(captured_ms: list[float], expected_ms: list[float]) -> None:
    clock = StreamClock()
    assert [clock.advance(time_ms) for time_ms in captured_ms] == pytest.approx(expected_ms)


@given(st.lists(st.floats(), min_size=2))
def test_time_only_grows(captured_ms: list[float]) -> None:
    clock = StreamClock()
    last_ms = clock.advance(captured_ms[0])
    for time_ms in captured_ms[1:]:
        now_ms = clock.advance(time_ms)
        assert now_ms >= last_ms
        assert 0 <= clock.step_ms <= LONGEST_STEP_MS
        assert now_ms == pytest.approx(last_ms + clock.step_ms)
        last_ms = now_ms
