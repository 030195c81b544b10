"""Faces to crops: `cut_face` is the only way a face becomes pixels, in training and in serving."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import FaceSpec, Framing
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Matrix, Points, similarity

Grey = NDArray[np.uint8]

_LEAST_SPREAD_PX = 0.25


def cut_face(frame: Grey, box: Box, spec: FaceSpec, points: Points | None = None) -> Grey:
    """Cut one face: by its landmarks (`landmarks-v1`), or by its Haar box where there are none (`box-v1`).

    `landmarks-v1` brings the points to the template of the card by a similarity transform; without points it
    falls back to `box-v1`, the square frame that training faces have, seen from the Haar box.

    Args:
        frame: H x W, uint8, grey.
        box: the Haar box in pixels of `frame`; may reach over its edges.
        spec: crop size, framing and template, from the model card.
        points: 5 x 2 in pixels of `frame`; ignored by a `box-v1` spec.

    Returns:
        `size_px` x `size_px`, uint8. Pixels outside the picture repeat its nearest edge pixel.
    """
    if points is not None and spec.template is not None:
        matrix = points_matrix(points, np.array(spec.template), spec.size_px)
    else:
        matrix = box_matrix(framed(box, spec.framing), spec.size_px)
    return warp(frame, centred(matrix), spec.size_px)


def box_framed_by(frame: Box, framing: Framing) -> Box:
    """The Haar box that `framed` turns into this frame."""
    side = frame.side / framing.scale
    centre_x, centre_y = frame.centre
    centre_x -= framing.offset_x * side
    centre_y -= framing.offset_y * side
    return Box(centre_x - side / 2, centre_y - side / 2, side, side)


def box_matrix(frame: Box, size_px: int, *, margin: float = 0.0, roll_degrees: float = 0.0) -> Matrix:
    """The 2 x 3 matrix, continuous edges, from picture to a crop that shows `frame` and `margin` around it.

    `roll_degrees` turns the frame about its centre first, clockwise on the screen, so that a face turned by
    as much stands upright in the crop.
    """
    scale = size_px / (frame.side * (1 + 2 * margin))
    angle = math.radians(-roll_degrees)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    x, y = frame.centre
    middle = size_px / 2
    return np.array([[cos, -sin, middle - cos * x + sin * y], [sin, cos, middle - sin * x - cos * y]])


def points_matrix(points: Points, template: Points, size_px: int, *, margin: float = 0.0) -> Matrix:
    """The 2 x 3 matrix, continuous edges, that brings `points` nearest to their `template` in the crop.

    `template` is 5 x 2 in fractions of the frame's side; `margin` is shown around the frame on each side.
    """
    listed = points.tolist()
    middle_x, middle_y = sum(x for x, _ in listed) / len(listed), sum(y for _, y in listed) / len(listed)
    scale = sum(math.hypot(x - middle_x, y - middle_y) for x, y in listed) / len(listed)
    if not scale > _LEAST_SPREAD_PX:  # all points in one place have no direction and no size
        points = points.mean(axis=0) + (template - template.mean(axis=0)) * _LEAST_SPREAD_PX * 4
    return similarity(points, (template + margin) * size_px / (1 + 2 * margin))


def centred(matrix: Matrix) -> Matrix:
    """The same 2 x 3 map for coordinates where pixel centres are integers, as OpenCV counts."""
    return np.array([[a, b, (a + b) / 2 + shift - 0.5] for a, b, shift in matrix.tolist()])


def framed(box: Box, framing: Framing) -> Box:
    """The square frame of a face from its Haar box (a box under one pixel counts as one pixel)."""
    side = max(box.side, 1.0) * framing.scale
    centre_x, centre_y = box.centre
    centre_x += framing.offset_x * box.side
    centre_y += framing.offset_y * box.side
    return Box(centre_x - side / 2, centre_y - side / 2, side, side)


def warp(
    frame: Grey, matrix: Matrix, size_px: int, *, border: int = cv2.BORDER_REPLICATE, fill: float = 0
) -> Grey:
    """Warp `frame` (H x W) by a 2 x 3 `matrix` (picture to crop) into `size_px` x `size_px`.

    Shrinks by area to at most twice the target first, so that the one bilinear step never skips pixels.
    `border` is an OpenCV border mode, `fill` the grey value of `cv2.BORDER_CONSTANT`.
    """
    (a, b, _), (c, d, _) = matrix.tolist()
    scale = math.sqrt(abs(a * d - b * c))
    if scale < 0.5:
        frame, matrix = _shrunk(frame, matrix, size_px, 2 * scale)
    return cv2.warpAffine(  # type: ignore[return-value]
        frame, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=fill
    )


def _shrunk(frame: Grey, matrix: Matrix, size_px: int, factor: float) -> tuple[Grey, Matrix]:
    """Only the part of the picture that the crop sees, its sides times `factor`, and the matrix for it."""
    left, top, right, bottom = _seen(matrix, size_px, frame.shape[1], frame.shape[0])
    part = frame[top:bottom, left:right]
    width, height = max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor))
    small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    step_x, step_y = part.shape[1] / width, part.shape[0] / height
    # small -> picture is x * step + shift, pixel centres at integers
    shift_x, shift_y = 0.5 * step_x - 0.5 + left, 0.5 * step_y - 0.5 + top
    return small, np.array(  # type: ignore[return-value]
        [[a * step_x, b * step_y, a * shift_x + b * shift_y + shift] for a, b, shift in matrix.tolist()]
    )


def _seen(matrix: Matrix, size_px: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what the crop covers, two crop pixels wider, never empty."""
    low, high = -2.5, size_px + 1.5
    ends = []
    for (a, b, shift), length in zip(
        cv2.invertAffineTransform(matrix).tolist(), (width, height), strict=True
    ):
        reached = [a * x + b * y + shift for x in (low, high) for y in (low, high)]
        first = min(max(math.floor(max(min(reached), 0)), 0), length - 1)
        last = min(math.ceil(min(max(reached), length)) + 1, length)
        ends.append((first, max(last, first + 1)))
    (left, right), (top, bottom) = ends
    return left, top, right, bottom
