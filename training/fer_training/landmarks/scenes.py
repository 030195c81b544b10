"""Faces in larger pictures, turned and with boxes that are off, as a detector would leave them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import Framing
from fer_gateway.vision.align import box_framed_by, centred
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Matrix, Points, transformed
from fer_training.crops.jitter import Jitter
from fer_training.crops.surroundings import PAD, with_surroundings
from fer_training.landmarks.data import PointedFaces

Grey = NDArray[np.uint8]

SCALE = 2.0
"""Enlargement of a face."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A face in a larger picture: grey H x W, its points, and a jittered box, in pixels of the picture."""

    grey: Grey
    points: Points
    box: Box


@dataclass(frozen=True, slots=True)
class TurnedFace:
    """A turned face in its surroundings (H x W)."""

    grey: Grey
    frame: Box
    """The square that the face filled, as large as it is now, still upright."""
    matrix: Matrix
    """From the surroundings as they were to those here, continuous edges."""


def make_scene(
    faces: PointedFaces, index: int, jitter: Jitter, framing: Framing, random: np.random.Generator
) -> Scene:
    """One face twice as large, turned by a random angle amid random surroundings, with a jittered box.

    The box is what `framing` calls the Haar box of the jittered frame.
    """
    image = faces.images[index]
    canvas = with_surroundings(image, random, faces.images[random.integers(len(faces))])
    side = image.shape[0]
    placed = turned_face(canvas, side, random.uniform(-jitter.degrees, jitter.degrees))
    frame = jitter.moved(placed.frame, random)
    points = transformed(faces.points[index] + round(PAD * side), placed.matrix)
    return Scene(placed.grey, points, box_framed_by(frame, framing))


def turned_face(canvas: Grey, side_px: int, degrees: float) -> TurnedFace:
    """The face in the middle of a padded square, turned clockwise about that and `SCALE` times as large."""
    grey, matrix = turned(canvas, degrees, SCALE)
    width, middle = side_px * SCALE, grey.shape[0] / 2
    return TurnedFace(grey, Box(middle - width / 2, middle - width / 2, width, width), matrix)


def turned(picture: Grey, degrees: float, scale: float) -> tuple[Grey, Matrix]:
    """The square picture turned clockwise about its middle and enlarged; and the matrix, continuous edges."""
    side = picture.shape[0]
    size = round(side * scale)
    cos, sin = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    turn = np.array([[cos, -sin], [sin, cos]])
    matrix = np.column_stack([turn, np.full(2, size / 2) - turn @ np.full(2, side / 2)])
    grey = cv2.warpAffine(
        picture, centred(matrix), (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(grey, np.uint8), matrix
