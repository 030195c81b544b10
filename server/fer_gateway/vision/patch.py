"""Parts and reductions of a picture for the detector, and the way back to the picture's pixels."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Matrix

MOST_SIDE_PX = 1920
"""No longer side is scanned: it bounds the cost of any picture."""

LEAST_BOX_PX = 8.0
"""In smaller boxes there is no face to see."""

_MOST_PX = 1e9


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a picture, resized."""

    grey: Grey
    left: int
    top: int
    factor_x: float
    factor_y: float

    def to_picture(self, box: Box) -> Box:
        """A square of the patch as a square of the picture."""
        side = box.side * 2 / (self.factor_x + self.factor_y)
        x, y = box.centre
        x, y = x / self.factor_x + self.left, y / self.factor_y + self.top
        return Box(x - side / 2, y - side / 2, side, side)


def cut_patch(grey: Grey, box: Box, reach: float, side_px: float) -> Patch | None:
    """What lies about a box, `reach` of its sides wide, resized so that the box's side is `side_px`.

    None for boxes that are outside the picture, empty, under 8 px or beyond all measure.
    """
    if min(box.width, box.height) < LEAST_BOX_PX or max(abs(box.x), abs(box.y), box.side) > _MOST_PX:
        return None
    height, width = grey.shape
    x, y = box.centre
    half = box.side * reach / 2
    part = Box(x - half, y - half, 2 * half, 2 * half).clipped(width, height)
    left, top = math.floor(part.x), math.floor(part.y)
    right, bottom = math.ceil(part.x + part.width), math.ceil(part.y + part.height)
    if right <= left or bottom <= top:
        return None
    factor = side_px / box.side
    part_grey = resized(grey[top:bottom, left:right], factor)
    factor_x, factor_y = part_grey.shape[1] / (right - left), part_grey.shape[0] / (bottom - top)
    return Patch(part_grey, left, top, factor_x, factor_y)


def turned_upright(grey: Grey, degrees: float) -> tuple[Grey, Matrix]:
    """The picture turned so that faces tilted clockwise by `degrees` stand upright; the 2 x 3 way back.

    Its corners repeat the nearest edge pixels: black ones would pass for the rims of faces.
    """
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    whole = math.ceil(width * cos + height * sin), math.ceil(width * sin + height * cos)
    turn[:, 2] += np.array(whole) / 2 - (width / 2, height / 2)
    turned = cv2.warpAffine(grey, turn, whole, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8), np.asarray(cv2.invertAffineTransform(turn), np.float64)


def bounded(grey: Grey, wanted: float) -> float:
    """By how much to reduce: as wanted, never enlarging, and never above what bounds the cost."""
    longest: int = max(grey.shape)
    return min(1.0, wanted, MOST_SIDE_PX / longest)


def resized(grey: Grey, factor: float) -> Grey:
    """The picture with its sides times `factor`, at least one pixel: by area where it shrinks."""
    if factor == 1:
        return grey
    size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
    shrink = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=shrink), np.uint8)
