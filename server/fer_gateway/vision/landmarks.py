"""Five points of a face, and the similarity transform that brings them to where they belong."""

import math

import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.geometry import Box

POINT_NAMES = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
"""Rows of `Points`: the person's own right and left; the mouth's are its corners."""

MIRRORED = (1, 0, 2, 4, 3)
"""Row i of a mirrored face is row `MIRRORED[i]` of the face."""

Points = NDArray[np.float64]
"""5 x 2, (x, y) in pixels with continuous edges: pixel i covers [i, i + 1), as in `Box`."""

Matrix = NDArray[np.float64]


def similarity(source: Points, target: Points) -> Matrix:
    """The scaling, rotation and translation that brings `source` nearest to `target` (both K x 2).

    Least squares after Umeyama 1991 (equations 40-43); in two dimensions, without reflection, it is linear in
    s cos(angle) and s sin(angle). Coinciding source points give the translation of their mean.

    Returns:
        2 x 3, for coordinates with continuous edges.
    """
    # Plain numbers: for five points numpy takes ten times as long, and a frame needs this six times.
    before, after = source.tolist(), target.tolist()
    count = len(before)
    x_mean, y_mean = sum(x for x, _ in before) / count, sum(y for _, y in before) / count
    u_mean, v_mean = sum(u for u, _ in after) / count, sum(v for _, v in after) / count
    variance = along = across = 0.0
    for (x, y), (u, v) in zip(before, after, strict=True):
        x, y, u, v = x - x_mean, y - y_mean, u - u_mean, v - v_mean  # noqa: PLW2901
        variance += x * x + y * y
        along += x * u + y * v
        across += x * v - y * u
    cos, sin = (1.0, 0.0) if variance < 1e-12 else (along / variance, across / variance)
    return np.array(
        [
            [cos, -sin, u_mean - cos * x_mean + sin * y_mean],
            [sin, cos, v_mean - sin * x_mean - cos * y_mean],
        ]
    )


def transformed(points: Points, matrix: Matrix) -> Points:
    """`points` (K x 2) moved by a 2 x 3 matrix."""
    moved: Points = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def inverted(matrix: Matrix) -> Matrix:
    """The 2 x 3 matrix of the way back; `ZeroDivisionError` where there is none."""
    (a, b, x), (c, d, y) = matrix.tolist()
    size = a * d - b * c
    a, b, c, d = d / size, -b / size, -c / size, a / size
    return np.array([[a, b, -a * x - b * y], [c, d, -c * x - d * y]])


def scale_of(matrix: Matrix) -> float:
    """By how much a similarity (2 x 3) enlarges lengths."""
    return math.hypot(matrix[0, 0], matrix[1, 0])


def roll_degrees(matrix: Matrix) -> float:
    """The rotation of a similarity (2 x 3) in degrees, -180..180, positive clockwise on the screen."""
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))


def mirrored(points: Points, width: float) -> Points:
    """The points of the same face in the picture (`width` pixels wide) flipped left to right."""
    flipped = points[list(MIRRORED)].copy()
    flipped[:, 0] = width - flipped[:, 0]
    return flipped


def frame_of(points: Points, template: Points) -> Box:
    """The upright square around the frame whose `template` (5 x 2, fractions of its side) the points fit.

    Its centre and side are those of the turned frame; this is the box that a face has by its landmarks.
    """
    matrix = similarity(template, points)
    side = scale_of(matrix)
    x, y = (0.5 * a + 0.5 * b + shift for a, b, shift in matrix.tolist())
    return Box(x - side / 2, y - side / 2, side, side)
