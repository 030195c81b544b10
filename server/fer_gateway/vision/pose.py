"""Where a head is turned, from five points of its face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.landmarks import Points

Solid = NDArray[np.float64]
"""5 x 3, rows as in `POINT_NAMES`: x to the right on the screen, y down, z away from the viewer."""

_STEPS = 12
_LARGEST_TURN = 0.5
_DAMPING = 1e-3


@dataclass(frozen=True, slots=True)
class Pose:
    """The turn of a head: first yaw, then pitch, then roll; all 0 for the typical face of FER+."""

    yaw_degrees: float
    """To the person's own left (positive: the nose moves right on the screen) or right."""
    pitch_degrees: float
    """Up (positive: the nose moves up on the screen) or down."""
    roll_degrees: float
    """Tilted clockwise on the screen (positive)."""


def mean_face() -> Solid:
    """The mean face in three dimensions, seen from the front, in distances of the eyes; its mean is 0.

    The rigid shape whose weak-perspective views come nearest to the landmarks of the FER+ training faces
    with a score of at least 0.6 and their mirror images (Tomasi and Kanade 1992, fitted by alternating least
    squares; root mean square distance 0.03 of a face's size), turned so that the median face has no pitch.
    """
    return np.array(
        [
            [-0.500, -0.514, 0.024],
            [0.500, -0.514, 0.024],
            [0.000, 0.029, -0.349],
            [-0.422, 0.4995, 0.1505],
            [0.422, 0.4995, 0.1505],
        ]
    )


def estimate_pose(points: Points) -> Pose | None:
    """The pose whose weak-perspective view of `mean_face` comes nearest to `points` (5 x 2, any unit).

    Gauss-Newton on scale and rotation, p_i = s (R X_i)_xy, from the upright or tilted frontal face. A noisy
    face is off by some 5 degrees in yaw and pitch. There is none where the points coincide.
    """
    flat = points - points.mean(axis=0)
    size = float(np.sqrt((flat**2).sum()))
    if not 1e-6 < size < 1e9:  # NaN too
        return None
    turn, _ = _fitted(flat / size, mean_face())
    return Pose(*(float(angle) for angle in _angles(turn)))


def turned(pose: Pose) -> NDArray[np.float64]:
    """The rotation R (3 x 3) of a pose: roll after pitch after yaw."""
    yaw, pitch, roll = np.radians([pose.yaw_degrees, pose.pitch_degrees, pose.roll_degrees])
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    rotation: NDArray[np.float64] = about_z @ about_x @ about_y
    return rotation


def _angles(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Yaw, pitch and roll of `turned`, in degrees."""
    yaw = np.arctan2(turn[2, 0], turn[2, 2])
    pitch = np.arcsin(np.clip(-turn[2, 1], -1, 1))
    roll = np.arctan2(-turn[0, 1], turn[1, 1])
    return np.degrees([yaw, pitch, roll])


def _fitted(flat: Points, solid: Solid) -> tuple[NDArray[np.float64], float]:
    """Rotation and scale of `solid` that show it nearest to `flat`; both have the mean 0."""
    x, y = solid[:, 0], solid[:, 1]
    cos, sin = (flat @ np.array([x, y])).trace(), float((flat[:, 1] * x - flat[:, 0] * y).sum())
    length = float(np.hypot(cos, sin))
    scale = max(length / float((x * x + y * y).sum()), 1e-3)
    cos, sin = (cos / length, sin / length) if length > 0 else (1.0, 0.0)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    slope = np.zeros((5, 2, 4))
    for _ in range(_STEPS):
        seen = scale * solid @ turn.T
        slope[:, 1, 0], slope[:, 0, 1] = -seen[:, 2], seen[:, 2]
        slope[:, 0, 2], slope[:, 1, 2] = -seen[:, 1], seen[:, 0]
        slope[:, :, 3] = seen[:, :2]
        rows = slope.reshape(10, 4)
        step = np.linalg.solve(
            rows.T @ rows + _DAMPING * np.eye(4), rows.T @ (flat - seen[:, :2]).reshape(10)
        )
        turn = _rotation(step[:3]) @ turn
        scale = float(np.clip(scale * np.exp(np.clip(step[3], -0.5, 0.5)), 1e-3, 1e3))
        if np.abs(step).max() < 1e-4:
            break
    return turn, scale


def _rotation(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation about a vector by its length in radians, at most `_LARGEST_TURN` (Rodrigues)."""
    length = float(np.sqrt((vector**2).sum()))
    angle = min(length, _LARGEST_TURN)
    x, y, z = vector * (1.0 / max(length, 1e-12))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation: NDArray[np.float64] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return rotation
