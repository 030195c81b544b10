"""Geometry of five points, on known transforms and on any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_gateway.contract import Framing
from fer_gateway.vision.align import box_framed_by, box_matrix, centred, framed, points_matrix
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import (
    MIRRORED,
    POINT_NAMES,
    frame_of,
    inverted,
    mirrored,
    roll_degrees,
    scale_of,
    similarity,
    transformed,
)

TEMPLATE = np.array([[0.32, 0.38], [0.67, 0.38], [0.5, 0.58], [0.36, 0.75], [0.65, 0.75]])

angles = st.floats(-179, 179)
scales = st.floats(0.05, 50)
places = st.floats(-1000, 1000)
points = st.lists(st.tuples(places, places), min_size=5, max_size=5).map(np.array)


def turn(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    cos, sin = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    return np.array([[cos, -sin, x], [sin, cos, y]])


@given(angles, scales, places, places)
def test_a_similarity_is_found_again(degrees: float, scale: float, x: float, y: float) -> None:
    known = turn(degrees, scale, x, y)
    found = similarity(TEMPLATE, transformed(TEMPLATE, known))
    np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-6)
    assert scale_of(found) == pytest.approx(scale)
    assert roll_degrees(found) == pytest.approx(degrees, abs=1e-6)
    np.testing.assert_allclose(
        transformed(transformed(TEMPLATE, known), inverted(known)), TEMPLATE, atol=1e-6
    )


@given(points)
def test_no_similarity_is_nearer_in_the_mean_square(target: np.ndarray) -> None:
    found = similarity(TEMPLATE, target)
    best = ((transformed(TEMPLATE, found) - target) ** 2).sum()
    for change in (turn(1, 1, 0, 0), turn(0, 1.01, 0, 0), turn(0, 1, 0.5, 0), turn(0, 1, 0, -0.5)):
        other = change @ np.vstack([found, [0, 0, 1]])
        assert ((transformed(TEMPLATE, other) - target) ** 2).sum() >= best - 1e-6 * max(1.0, best)


@given(points)
def test_any_points_give_a_matrix_that_can_be_inverted(known: np.ndarray) -> None:
    matrix = points_matrix(known, TEMPLATE, 48, margin=0.1)
    assert np.isfinite(matrix).all()
    assert np.isfinite(inverted(matrix)).all() or scale_of(matrix) < 1e-9


def test_points_in_one_place_give_a_small_upright_crop() -> None:
    matrix = points_matrix(np.full((5, 2), 7.0), TEMPLATE, 48)
    assert roll_degrees(matrix) == pytest.approx(0)
    assert 10 < scale_of(matrix) < 200


def test_points_on_the_template_are_the_whole_frame() -> None:
    np.testing.assert_allclose(
        points_matrix(TEMPLATE * 48, TEMPLATE, 48), box_matrix(Box(0, 0, 48, 48), 48), atol=1e-9
    )


@given(places, places, st.floats(1, 500), st.floats(0, 0.5))
def test_a_box_without_roll_is_the_crop_of_box_v1(x: float, y: float, side: float, margin: float) -> None:
    frame = Box(x, y, side, side)
    scale = 64 / side
    box_v1 = [[scale, 0, (0.5 - x) * scale - 0.5], [0, scale, (0.5 - y) * scale - 0.5]]
    np.testing.assert_allclose(centred(box_matrix(frame, 64)), box_v1, rtol=1e-9, atol=1e-6 * (1 + 64 / side))
    corner = transformed(
        np.array([[x - margin * side, y - margin * side]]), box_matrix(frame, 64, margin=margin)
    )
    np.testing.assert_allclose(corner, [[0, 0]], atol=1e-6 * (1 + 1000 * 64 / side))


@pytest.mark.parametrize("degrees", [-25.0, 0.0, 25.0])
def test_roll_sets_a_turned_face_upright(degrees: float) -> None:
    middle = np.array([60.0, 70.0])
    upright = (TEMPLATE - 0.5) * 40
    face = transformed(upright, turn(degrees, 1, *middle))
    matrix = box_matrix(Box(40, 50, 40, 40), 48, roll_degrees=degrees)
    np.testing.assert_allclose(transformed(face, matrix), TEMPLATE * 48, atol=1e-9)


@given(places, places, st.floats(2, 500))
def test_a_frame_is_found_from_its_points(x: float, y: float, side: float) -> None:
    frame = frame_of(TEMPLATE * side + (x, y), TEMPLATE)
    np.testing.assert_allclose([frame.x, frame.y, frame.width, frame.height], [x, y, side, side], atol=1e-6)


@given(points)
def test_mirroring_twice_is_the_face(known: np.ndarray) -> None:
    np.testing.assert_allclose(mirrored(mirrored(known, 640), 640), known, atol=1e-9)


def test_mirroring_exchanges_right_and_left() -> None:
    exchanged = [POINT_NAMES[index] for index in MIRRORED]
    assert exchanged == ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]


@given(places, places, st.floats(1, 500), st.floats(0.5, 2), st.floats(-0.3, 0.3))
def test_box_and_frame_lead_to_each_other(
    x: float, y: float, side: float, scale: float, offset: float
) -> None:
    framing = Framing(scale=scale, offset_x=offset, offset_y=-offset)
    box = box_framed_by(framed(Box(x, y, side, side), framing), framing)
    np.testing.assert_allclose([box.x, box.y, box.side], [x, y, side], rtol=1e-6, atol=1e-6)
