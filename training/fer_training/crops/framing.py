"""Where the frame of a training face lies, seen from its Haar box: serving cuts what training saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_gateway.contract import Framing
from fer_gateway.vision.cascade import HaarDetector
from fer_gateway.vision.geometry import Box, intersection_over_union
from fer_training.errors import DataError

ENLARGED_PX = 160
PADDING_PX = 80
SMALLEST_BOX_PX = ENLARGED_PX // 2
"""A box below half the frame is no face: a cascade that searches only above it is several times faster."""

_LEAST_FACES = 20


@dataclass(frozen=True, slots=True)
class FramingFit:
    """The mean framing, its spread over faces (standard deviations), and on how many faces Haar found one."""

    framing: Framing
    scale_spread: float
    offset_x_spread: float
    offset_y_spread: float
    faces_tried: int


@dataclass(frozen=True, slots=True)
class Relation:
    """Where the frame of one face lies, seen from its Haar box; offsets are between centres, in box sides."""

    log_scale: float
    """Logarithm of frame side over box side."""
    offset_x: float
    offset_y: float


def fit_framing(images: NDArray[np.uint8], detector: HaarDetector) -> FramingFit:
    """Run Haar on faces (N x H x W) whose frame is the whole picture, and average what it says.

    Raises:
        DataError: Haar found fewer than 20 faces.
    """
    whole = Box(PADDING_PX, PADDING_PX, ENLARGED_PX, ENLARGED_PX)
    rows = tqdm(images, desc="faces", mininterval=1, disable=None)
    return fit_relations([relation(image, whole, detector) for image in rows])


def fit_relations(found: Sequence[Relation | None]) -> FramingFit:
    """The mean of all relations, none standing for a face that Haar did not find; scales by their logarithms.

    Raises:
        DataError: fewer than 20 faces were found.
    """
    known = [[one.log_scale, one.offset_x, one.offset_y] for one in found if one is not None]
    if len(known) < _LEAST_FACES:
        raise DataError(f"Haar found {len(known)} of {len(found)} faces; at least {_LEAST_FACES} are needed")
    log_scale, offset_x, offset_y = np.mean(known, axis=0)
    scale = float(np.exp(log_scale))
    spread = np.std(known, axis=0)
    framing = Framing(
        scale=round(scale, 4),
        offset_x=round(float(offset_x), 4),
        offset_y=round(float(offset_y), 4),
        faces_measured=len(known),
    )
    return FramingFit(framing, float(scale * spread[0]), float(spread[1]), float(spread[2]), len(found))


def relation(image: NDArray[np.uint8], frame: Box, detector: HaarDetector) -> Relation | None:
    """What Haar says of one face (H x W), enlarged to `ENLARGED_PX` and padded by its edge pixels.

    None where it finds nothing that covers `frame`, in pixels of that picture, by a quarter.
    """
    large = cv2.resize(image, (ENLARGED_PX, ENLARGED_PX), interpolation=cv2.INTER_CUBIC)
    pad = PADDING_PX
    padded = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    boxes = detector.detect(np.asarray(padded, np.uint8))
    box = max(boxes, key=lambda box: intersection_over_union(box, frame), default=None)
    if box is None or intersection_over_union(box, frame) < 0.25:
        return None
    dx, dy = frame.centre[0] - box.centre[0], frame.centre[1] - box.centre[1]
    return Relation(float(np.log(frame.side / box.side)), dx / box.side, dy / box.side)
