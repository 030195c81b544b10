"""What the landmark network sees: a face off its place as a Haar box leaves it, or nearly in place."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.align import centred, warp
from fer_gateway.vision.landmarks import Matrix, Points, mirrored, transformed
from fer_training.crops.jitter import Jitter
from fer_training.crops.surroundings import PAD, with_surroundings
from fer_training.landmarks.data import PointedFaces
from fer_training.landmarks.network import LandmarkNet

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """A crop (S x S) with its points in fractions of the crop; `face` is false where it holds no face."""

    crop: Grey
    points: Points
    face: bool


def crop_to_unit(matrix: Matrix, size_px: int, side_px: float, margin: float) -> Matrix:
    """Picture (continuous edges) to crop, for a face whose frame is `side_px` at the origin.

    `matrix` moves within the unit square; the crop shows the unit square and `margin` of its side around it.
    """
    whole = 1 + 2 * margin
    turn = matrix[:, :2] * size_px / (whole * side_px)
    shift = (matrix[:, 2] + margin) * size_px / whole
    return np.column_stack([turn, shift])


def random_view(
    faces: PointedFaces, index: int, jitter: Jitter, margin: float, random: np.random.Generator
) -> View:
    """A random view of one face, mirrored one time in two."""
    image, points = faces.images[index], faces.points[index]
    other, side, size_px = _another(faces, random), image.shape[0], LandmarkNet.SIZE_PX
    if random.random() < 0.5:
        image, points = np.ascontiguousarray(image[:, ::-1]), mirrored(points, side)
    canvas = with_surroundings(image, random, other)
    pad = round(PAD * side)
    to_crop = crop_to_unit(jitter.draw(random), size_px, side, margin)
    crop = _lit(cut(canvas, to_crop, pad, size_px), random)
    return View(crop, transformed(points, to_crop) / size_px, True)


def cut(canvas: Grey, to_crop: Matrix, pad: int, size_px: int) -> Grey:
    """Warp a padded face by a matrix for the unpadded one, both with continuous edges."""
    turn, shift = to_crop[:, :2], to_crop[:, 2]
    return warp(canvas, centred(np.column_stack([turn, shift - turn @ np.full(2, pad)])), size_px)


def random_nothing(faces: PointedFaces, index: int, random: np.random.Generator) -> View:
    """A crop without a whole face: beside one, far too near, or far too small."""
    image, size_px = faces.images[index], LandmarkNet.SIZE_PX
    canvas = with_surroundings(image, random, _another(faces, random))
    kind = random.integers(3)
    if kind == 0:
        side, reach = random.uniform(0.3, 0.8), 0.45
    elif kind == 1:
        side, reach = random.uniform(0.1, 0.3), 0.0
    else:
        side, reach = random.uniform(2.5, 4), 0.3
    angle = random.uniform(0, 2 * np.pi)
    px = side * image.shape[0]
    middle = canvas.shape[0] / 2 + reach * canvas.shape[0] * np.array([np.cos(angle), np.sin(angle)])
    scale = size_px / px
    matrix = np.array(
        [[scale, 0, size_px / 2 - scale * middle[0]], [0, scale, size_px / 2 - scale * middle[1]]]
    )
    border = cv2.BORDER_REFLECT_101 if random.random() < 0.5 else cv2.BORDER_REPLICATE
    return View(_lit(warp(canvas, matrix, size_px, border=border), random), np.full((5, 2), 0.5), False)


def _another(faces: PointedFaces, random: np.random.Generator) -> Grey:
    other: Grey = faces.images[random.integers(len(faces))]
    return other


def _lit(crop: Grey, random: np.random.Generator) -> Grey:
    """Gamma, contrast and brightness by a table; now and then blur, noise, or a covered part."""
    levels = np.arange(256) / 255
    table = levels ** np.exp(random.uniform(-0.5, 0.5)) * random.uniform(0.5, 1.1) + random.uniform(-0.1, 0.2)
    crop = (255 * table).clip(0, 255).astype(np.uint8)[crop]
    if random.random() < 0.2:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), random.uniform(0.4, 1.3)), np.uint8)
    if random.random() < 0.2:
        crop = (crop + random.normal(0, random.uniform(2, 12), crop.shape)).clip(0, 255).astype(np.uint8)
    if random.random() < 0.1:
        size = crop.shape[0]
        height, width = random.integers(size // 8, size // 3, 2)
        top, left = random.integers(0, size - height), random.integers(0, size - width)
        crop = crop.copy()
        crop[top : top + height, left : left + width] = random.integers(256)
    return crop
