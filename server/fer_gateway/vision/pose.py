"""Where a head is turned, from five points of its face."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.landmarks import Points

Solid = NDArray[np.float64]
"""5 x 3, rows as in `POINT_NAMES`: x to the right on the screen, y down, z away from the viewer."""

_Row = tuple[float, float, float]
_Rotation = tuple[_Row, _Row, _Row]

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
    listed = points.tolist()
    middle_x, middle_y = sum(x for x, _ in listed) / len(listed), sum(y for _, y in listed) / len(listed)
    flat = [(x - middle_x, y - middle_y) for x, y in listed]
    size = math.sqrt(sum(x * x + y * y for x, y in flat))
    if not 1e-6 < size < 1e9:  # NaN too
        return None
    return _pose_of(_fitted([(x / size, y / size) for x, y in flat], _MEAN_FACE))


_MEAN_FACE = mean_face().tolist()


def turned(pose: Pose) -> NDArray[np.float64]:
    """The rotation R (3 x 3) of a pose: roll after pitch after yaw."""
    yaw, pitch, roll = np.radians([pose.yaw_degrees, pose.pitch_degrees, pose.roll_degrees])
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    rotation: NDArray[np.float64] = about_z @ about_x @ about_y
    return rotation


def _pose_of(turn: _Rotation) -> Pose:
    """Yaw, pitch and roll of `turned`."""
    (_, from_y, _), (_, upright, _), (away_x, away_y, away_z) = turn
    return Pose(
        yaw_degrees=math.degrees(math.atan2(away_x, away_z)),
        pitch_degrees=math.degrees(math.asin(min(max(-away_y, -1.0), 1.0))),
        roll_degrees=math.degrees(math.atan2(-from_y, upright)),
    )


def _fitted(points: Sequence[Sequence[float]], corners: Sequence[Sequence[float]]) -> _Rotation:
    """The rotation of `corners` (x, y, z) that shows them, scaled, nearest to `points`; both have the mean 0.

    A step (a, b, c, g) turns by the vector (a, b, c) and enlarges by exp(g); a point then moves by
    (b z - c y + g x, c x - a z + g y). The normal equations are ((p I, B), (B, q I)), B = ((u, v), (v, -u)),
    and B B is (u u + v v) I: solved by hand, in plain numbers, for five points are too few for numpy.
    """
    pairs = [(*point, *corner) for point, corner in zip(points, corners, strict=True)]
    cos = sum(x * u + y * v for x, y, u, v, _ in pairs)
    sin = sum(y * u - x * v for x, y, u, v, _ in pairs)
    length = math.hypot(cos, sin)
    scale = max(length / sum(u * u + v * v for _, _, u, v, _ in pairs), 1e-3)
    cos, sin = (cos / length, sin / length) if length > 0 else (1.0, 0.0)
    turn: _Rotation = ((cos, -sin, 0.0), (sin, cos, 0.0), (0.0, 0.0, 1.0))
    for _ in range(_STEPS):
        (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = turn
        p = q = _DAMPING
        u = v = about_x = about_y = about_z = growth = 0.0
        for goal_x, goal_y, right, down, away in pairs:
            x = scale * (xx * right + xy * down + xz * away)
            y = scale * (yx * right + yy * down + yz * away)
            z = scale * (zx * right + zy * down + zz * away)
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
        turn = _after(turn, _rotation(a, b, c))
        scale = min(max(scale * math.exp(min(max(g, -0.5), 0.5)), 1e-3), 1e3)
        if max(abs(a), abs(b), abs(c), abs(g)) < 1e-4:
            break
    return turn


def _after(first: _Rotation, then: _Rotation) -> _Rotation:
    """The product `then` times `first`."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = first
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = then
    return (
        (xx * ax + xy * bx + xz * cx, xx * ay + xy * by + xz * cy, xx * az + xy * bz + xz * cz),
        (yx * ax + yy * bx + yz * cx, yx * ay + yy * by + yz * cy, yx * az + yy * bz + yz * cz),
        (zx * ax + zy * bx + zz * cx, zx * ay + zy * by + zz * cy, zx * az + zy * bz + zz * cz),
    )


def _rotation(x: float, y: float, z: float) -> _Rotation:
    """The rotation about a vector by its length in radians, at most `_LARGEST_TURN` (Rodrigues)."""
    length = math.hypot(x, y, z)
    angle = min(length, _LARGEST_TURN)
    unit = max(length, 1e-12)
    x, y, z = x / unit, y / unit, z / unit
    cos, sin = math.cos(angle), math.sin(angle)
    rest = 1 - cos
    return (
        (cos + rest * x * x, rest * x * y - sin * z, rest * x * z + sin * y),
        (rest * x * y + sin * z, cos + rest * y * y, rest * y * z - sin * x),
        (rest * x * z - sin * y, rest * y * z + sin * x, cos + rest * z * z),
    )
