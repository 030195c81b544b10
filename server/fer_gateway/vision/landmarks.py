"""Five points of a face, and the similarity transform that brings them to where they belong."""

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
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    x, y = (source - source_mean).T
    u, v = (target - target_mean).T
    variance = float((x * x + y * y).sum())
    if variance < 1e-12:
        cos, sin = 1.0, 0.0
    else:
        cos, sin = float((x * u + y * v).sum()) / variance, float((x * v - y * u).sum()) / variance
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, target_mean - turn @ source_mean])


def transformed(points: Points, matrix: Matrix) -> Points:
    """`points` (K x 2) moved by a 2 x 3 matrix."""
    moved: Points = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def inverted(matrix: Matrix) -> Matrix:
    """The 2 x 3 matrix of the way back."""
    back = np.linalg.inv(matrix[:, :2])
    return np.column_stack([back, -back @ matrix[:, 2]])


def scale_of(matrix: Matrix) -> float:
    """By how much a similarity (2 x 3) enlarges lengths."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def roll_degrees(matrix: Matrix) -> float:
    """The rotation of a similarity (2 x 3) in degrees, -180..180, positive clockwise on the screen."""
    return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))


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
    x, y = transformed(np.array([[0.5, 0.5]]), matrix)[0]
    return Box(float(x) - side / 2, float(y) - side / 2, side, side)


def fit_error(points: Points, template: Points) -> float:
    """How far the points are from any similarity of the template: root mean square in frame sides."""
    matrix = similarity(points, template)
    return float(np.sqrt(((transformed(points, matrix) - template) ** 2).sum(axis=1).mean()))
