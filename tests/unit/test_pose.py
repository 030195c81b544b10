"""Head poses: found again from views of known ones, and defined for any points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_gateway.vision.landmarks import mirrored
from fer_gateway.vision.pose import Pose, estimate_pose, mean_face, turned

COORDINATES = st.floats(-1e5, 1e5)


def view_of(pose: Pose, scale_px: float = 60, x: float = 200, y: float = 100) -> np.ndarray:
    return (mean_face() @ turned(pose).T)[:, :2] * scale_px + (x, y)


@given(
    st.builds(Pose, st.floats(-45, 45), st.floats(-30, 30), st.floats(-90, 90)),
    st.floats(3, 1000),
    COORDINATES,
    COORDINATES,
)
def test_a_known_pose_is_found_again(pose: Pose, scale_px: float, x: float, y: float) -> None:
    found = estimate_pose(view_of(pose, scale_px, x, y))
    assert found is not None
    assert found.yaw_degrees == pytest.approx(pose.yaw_degrees, abs=0.1)
    assert found.pitch_degrees == pytest.approx(pose.pitch_degrees, abs=0.1)
    assert found.roll_degrees == pytest.approx(pose.roll_degrees, abs=0.1)


def test_signs() -> None:
    """The nose of a face that looks to its own left is nearer to its left eye, right on the screen."""
    frontal, left, up = (view_of(Pose(*angles)) for angles in ((0, 0, 0), (20, 0, 0), (0, 20, 0)))
    assert left[2, 0] - left[:2, 0].mean() > frontal[2, 0] - frontal[:2, 0].mean() + 5
    assert up[2, 1] - up[:2, 1].mean() < frontal[2, 1] - frontal[:2, 1].mean() - 5
    clockwise = view_of(Pose(0, 0, 20))
    assert clockwise[1, 1] > clockwise[0, 1] + 5  # the eye on the right of the screen is lower


def test_a_mirror_turns_yaw_and_roll_round() -> None:
    found = estimate_pose(mirrored(view_of(Pose(25, 10, 15)), 640))
    assert found is not None
    assert found.yaw_degrees == pytest.approx(-25, abs=0.1)
    assert found.pitch_degrees == pytest.approx(10, abs=0.1)
    assert found.roll_degrees == pytest.approx(-15, abs=0.1)


@pytest.mark.parametrize("noise_px", [1, 2])
def test_noise_of_landmarks_costs_some_degrees(noise_px: float) -> None:
    """60 px between the eyes, so that 2 px are an error of 0.033."""
    random = np.random.default_rng(3)
    poses = [Pose(*random.uniform((-30, -15, -20), (30, 15, 20))) for _ in range(200)]
    found = [estimate_pose(view_of(pose) + random.normal(0, noise_px, (5, 2))) for pose in poses]
    errors = np.array(
        [
            (have.yaw_degrees - pose.yaw_degrees, have.pitch_degrees - pose.pitch_degrees)
            for have, pose in zip(found, poses, strict=True)
            if have is not None
        ]
    )
    assert len(errors) == len(poses)
    assert np.sqrt((errors**2).mean(axis=0)).max() < 3.5 * noise_px


@given(arrays(np.float64, (5, 2), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_any_points_have_a_pose_or_none(points: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        pose = estimate_pose(points)
    if pose is not None:
        assert np.isfinite([pose.yaw_degrees, pose.pitch_degrees, pose.roll_degrees]).all()
        assert abs(pose.pitch_degrees) <= 90
        assert abs(pose.roll_degrees) <= 180


@pytest.mark.parametrize("value", [0.0, 3.5, np.nan, np.inf])
def test_points_in_one_place_have_no_pose(value: float) -> None:
    with np.errstate(invalid="ignore"):
        assert estimate_pose(np.full((5, 2), value)) is None
