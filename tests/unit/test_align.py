"""The crop: where it lies to a fraction of a pixel, and that it neither skips pixels nor depends on scale."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from fer_gateway.contract import FaceSpec, Framing
from fer_gateway.vision.align import box_matrix, centred, cut_face, framed
from fer_gateway.vision.geometry import Box

boxes = st.builds(Box, st.floats(-200, 200), st.floats(-200, 200), st.floats(0, 500), st.floats(0, 500))
WHOLE = Framing(scale=1, offset_x=0, offset_y=0)


def spec(size_px: int, framing: Framing = WHOLE) -> FaceSpec:
    return FaceSpec(size_px=size_px, framing=framing, cascade_sha256="0" * 64)


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def ramp(height: int, width: int) -> NDArray[np.uint8]:
    """Grey level = x + 2 y at pixel centres."""
    y, x = np.mgrid[0:height, 0:width]
    return np.asarray(x + 2 * y, np.uint8)


def test_framed() -> None:
    framing = Framing(scale=1.5, offset_x=0.1, offset_y=-0.2)
    assert framed(Box(10, 20, 40, 40), framing) == Box(4, 2, 60, 60)


def test_framed_of_an_empty_box_is_a_pixel() -> None:
    assert framed(Box(3, 3, 0, 0), WHOLE) == Box(2.5, 2.5, 1, 1)


def test_a_box_of_the_crops_size_is_copied() -> None:
    frame = noise(50, 60)
    np.testing.assert_array_equal(cut_face(frame, Box(7, 9, 32, 32), spec(32)), frame[9:41, 7:39])


def test_pixels_outside_repeat_the_nearest() -> None:
    frame = noise(40, 40)
    crop = cut_face(frame, Box(-8, -4, 32, 32), spec(32))
    np.testing.assert_array_equal(crop, np.pad(frame, ((4, 0), (8, 0)), "edge")[:32, :32])


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_shrinking_averages_every_pixel(factor: int) -> None:
    """A fine check becomes flat grey; an interpolation that skips pixels would leave stripes."""
    size = 24 * factor
    y, x = np.mgrid[0:size, 0:size]
    check = np.where((x + y) % 2 == 0, 255, 0).astype(np.uint8)
    crop = cut_face(check, Box(0, 0, size, size), spec(24))
    assert np.abs(crop[1:-1, 1:-1].astype(int) - 128).max() <= 2


@given(st.floats(0, 20), st.floats(0, 10), st.floats(20, 70))
def test_the_crop_lies_where_the_box_says(x: float, y: float, side: float) -> None:
    """On a linear ramp the grey level of a crop pixel tells where its centre lies in the picture."""
    crop = cut_face(ramp(80, 90), Box(x, y, side, side), spec(16)).astype(float)
    step = side / 16
    column, row = np.meshgrid(np.arange(16), np.arange(16))
    centre_x, centre_y = x + (column + 0.5) * step - 0.5, y + (row + 0.5) * step - 0.5
    inside = (centre_x > 1.5) & (centre_x < 87.5) & (centre_y > 1.5) & (centre_y < 77.5)
    inside &= (centre_x > x + 2) & (centre_y > y + 2)
    assert np.abs(crop - (centre_x + 2 * centre_y))[inside].max(initial=0) < 1.6


def test_a_picture_twice_as_large_gives_the_same_crop() -> None:
    small = np.asarray(cv2.GaussianBlur(noise(64, 64), (0, 0), 3), np.uint8)
    large = np.asarray(cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.uint8)
    first = cut_face(small, Box(10, 12, 40, 40), spec(32))
    second = cut_face(large, Box(20, 24, 80, 80), spec(32))
    assert np.abs(first.astype(int) - second.astype(int)).max() <= 2


@given(st.integers(1, 40), st.integers(1, 40), boxes)
def test_any_box_in_any_picture_gives_a_crop(height: int, width: int, box: Box) -> None:
    frame = noise(height, width)
    crop = cut_face(frame, box, spec(16))
    assert crop.shape == (16, 16)
    assert crop.dtype == np.uint8
    assert frame.min() <= crop.min() <= crop.max() <= frame.max()


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 500), st.integers(16, 224))
def test_the_matrix_maps_edges_to_edges(x: float, y: float, side: float, size_px: int) -> None:
    matrix = centred(box_matrix(Box(x, y, side, side), size_px))
    corners = np.array([[x - 0.5, y - 0.5, 1], [x + side - 0.5, y + side - 0.5, 1]]) @ matrix.T
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [size_px - 0.5, size_px - 0.5]], atol=1e-6)


def aligned_spec(size_px: int) -> FaceSpec:
    template = ((0.32, 0.38), (0.67, 0.38), (0.5, 0.58), (0.36, 0.75), (0.65, 0.75))
    return FaceSpec(
        algorithm="landmarks-v1",
        size_px=size_px,
        framing=WHOLE,
        template=template,
        cascade_sha256="0" * 64,
    )


def test_points_on_the_template_cut_the_frame_they_lie_in() -> None:
    frame, spec_ = noise(80, 90), aligned_spec(32)
    points = np.array(spec_.template) * 32 + (7, 9)
    np.testing.assert_array_equal(cut_face(frame, Box(0, 0, 5, 5), spec_, points), frame[9:41, 7:39])


def test_without_points_the_box_is_cut() -> None:
    frame, box = noise(80, 90), Box(7.3, 9.1, 40, 40)
    np.testing.assert_array_equal(cut_face(frame, box, aligned_spec(32)), cut_face(frame, box, spec(32)))


def test_a_box_v1_model_ignores_points() -> None:
    frame, box = noise(80, 90), Box(7, 9, 40, 40)
    points = np.array(aligned_spec(32).template) * 20
    np.testing.assert_array_equal(cut_face(frame, box, spec(32), points), cut_face(frame, box, spec(32)))


@pytest.mark.parametrize("degrees", [-30.0, -10.0, 20.0])
def test_a_turned_face_is_cut_upright(degrees: float) -> None:
    """A smooth picture turned about the face's middle gives nearly the crop of the picture as it was."""
    frame = np.asarray(cv2.GaussianBlur(noise(160, 160), (0, 0), 4), np.uint8)
    spec_ = aligned_spec(48)
    points = np.array(spec_.template) * 60 + 50
    turn = np.array(cv2.getRotationMatrix2D((79.5, 79.5), -degrees, 1), np.float64)
    turned = np.asarray(cv2.warpAffine(frame, turn, (160, 160), flags=cv2.INTER_CUBIC), np.uint8)
    moved = (points - 0.5) @ turn[:, :2].T + turn[:, 2] + 0.5
    straight, upright = (
        cut_face(picture, Box(0, 0, 1, 1), spec_, where).astype(int)
        for picture, where in ((frame, points), (turned, moved))
    )
    assert np.abs(straight - upright).max() <= 4


@pytest.mark.parametrize("template", [None, "points"])
def test_a_template_belongs_to_landmarks_only(template: str | None) -> None:
    points = aligned_spec(32).template if template else None
    with pytest.raises(ValidationError, match="`template` belongs to `landmarks-v1`"):
        FaceSpec(
            algorithm="box-v1" if template else "landmarks-v1",
            size_px=32,
            framing=WHOLE,
            template=points,
            cascade_sha256="0" * 64,
        )


@given(
    st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=5, max_size=5),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_any_points_in_any_picture_give_a_crop(
    points: list[tuple[float, float]], shape: tuple[int, int]
) -> None:
    crop = cut_face(noise(*shape), Box(0, 0, 4, 4), aligned_spec(24), np.array(points))
    assert crop.shape == (24, 24)
