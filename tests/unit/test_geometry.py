"""Rectangles: properties that hold for all of them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fer_gateway.vision.geometry import Box, intersection_over_union

coordinates = st.floats(-1000, 1000)
lengths = st.floats(0.01, 1000)
boxes = st.builds(Box, coordinates, coordinates, lengths, lengths)


def test_measures() -> None:
    box = Box(10, 20, 30, 50)
    assert (box.area, box.side, box.centre) == (1500, 40, (25, 45))
    assert box.scaled(0.5) == Box(5, 10, 15, 25)


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        (Box(10, 10, 20, 20), Box(10, 10, 20, 20)),
        (Box(-5, -6, 20, 20), Box(0, 0, 15, 14)),
        (Box(90, 40, 20, 20), Box(90, 40, 10, 10)),
        (Box(-10, -10, 300, 300), Box(0, 0, 100, 50)),
        (Box(200, 10, 20, 20), Box(100, 10, 0, 20)),
        (Box(-50, 10, 20, 20), Box(0, 10, 0, 20)),
    ],
)
def test_clipped(box: Box, clipped: Box) -> None:
    assert box.clipped(100, 50) == clipped


@given(boxes)
def test_clipping_stays_inside_and_is_final(box: Box) -> None:
    inside = box.clipped(100, 50)
    assert 0 <= inside.x <= inside.x + inside.width <= 100.000001
    assert 0 <= inside.y <= inside.y + inside.height <= 50.000001
    again = inside.clipped(100, 50)
    assert again.area == pytest.approx(inside.area, abs=1e-6)


@given(boxes, boxes)
def test_iou_is_a_symmetric_share(first: Box, second: Box) -> None:
    share = intersection_over_union(first, second)
    assert 0 <= share <= 1 + 1e-9
    assert share == pytest.approx(intersection_over_union(second, first))


@given(boxes)
def test_iou_with_itself_is_one(box: Box) -> None:
    assert intersection_over_union(box, box) == pytest.approx(1, rel=1e-6)


@given(boxes, boxes, st.floats(0.1, 10))
def test_iou_does_not_depend_on_scale(first: Box, second: Box, factor: float) -> None:
    expected = intersection_over_union(first, second)
    assume(expected == 0 or expected > 1e-6)  # slivers are a matter of rounding
    scaled = intersection_over_union(first.scaled(factor), second.scaled(factor))
    assert scaled == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("other", "share"),
    [
        (Box(5, 0, 10, 10), 1 / 3),
        (Box(5, 5, 10, 10), 25 / 175),
        (Box(10, 0, 10, 10), 0),
        (Box(2, 2, 5, 5), 0.25),
        (Box(0, 0, 0, 0), 0),
    ],
)
def test_iou(other: Box, share: float) -> None:
    assert intersection_over_union(Box(0, 0, 10, 10), other) == pytest.approx(share)
