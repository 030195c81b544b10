"""Where a head is turned, from five points of its face."""

import math
from collections.abc import Sequence
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
    """Rotation and scale of `solid` that show it nearest to `flat`; both have the mean 0.

    A step (a, b, c, g) turns by the vector (a, b, c) and enlarges by exp(g); a point then moves by
    (b z - c y + g x, c x - a z + g y). The normal equations are ((p I, B), (B, q I)), B = ((u, v), (v, -u)),
    and B B is (u u + v v) I: solved by hand, in plain numbers, for five points are too few for numpy.
    """
    points, corners = flat.tolist(), solid.tolist()
    cos = sum(x * u + y * v for (x, y), (u, v, _) in zip(points, corners, strict=True))
    sin = sum(y * u - x * v for (x, y), (u, v, _) in zip(points, corners, strict=True))
    length = math.hypot(cos, sin)
    scale = max(length / sum(u * u + v * v for u, v, _ in corners), 1e-3)
    cos, sin = (cos / length, sin / length) if length > 0 else (1.0, 0.0)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    for _ in range(_STEPS):
        p = q = _DAMPING
        u = v = about_x = about_y = about_z = growth = 0.0
        for (goal_x, goal_y), (x, y, z) in zip(points, (scale * solid @ turn.T).tolist(), strict=True):
            off_x, off_y = goal_x - x, goal_y - y
            p += z * z
            q += x * x + y * y
            u -= z * x
            v -= z * y
            about_x -= z * off_y
            about_y += z * off_x
            about_z += x * off_y - y * off_x
            growth += x * off_x + y * off_y
        rest = q - (u * u + v * v) / p
        c = (about_z - (u * about_x + v * about_y) / p) / rest
        g = (growth - (v * about_x - u * about_y) / p) / rest
        a, b = (about_x - u * c - v * g) / p, (about_y - v * c + u * g) / p
        turn = _rotation((a, b, c)) @ turn
        scale = min(max(scale * math.exp(min(max(g, -0.5), 0.5)), 1e-3), 1e3)
        if max(abs(a), abs(b), abs(c), abs(g)) < 1e-4:
            break
    return turn, scale


def _rotation(vector: Sequence[float]) -> NDArray[np.float64]:
    """The rotation about a vector by its length in radians, at most `_LARGEST_TURN` (Rodrigues)."""
    length = math.hypot(*vector)
    angle = min(length, _LARGEST_TURN)
    x, y, z = (value / max(length, 1e-12) for value in vector)
    cos, sin = math.cos(angle), math.sin(angle)
    rest = 1 - cos
    return np.array(
        [
            [cos + rest * x * x, rest * x * y - sin * z, rest * x * z + sin * y],
            [rest * x * y + sin * z, cos + rest * y * y, rest * y * z - sin * x],
            [rest * x * z - sin * y, rest * y * z + sin * x, cos + rest * z * z],
        ]
    )
