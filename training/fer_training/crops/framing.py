"""Where the frame of a training face lies, seen from its Haar box: serving cuts what training saw."""

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


def fit_framing(images: NDArray[np.uint8], detector: HaarDetector) -> FramingFit:
    """Run Haar on faces (N x H x W), enlarged and padded by their edge pixels, and average what it says.

    The scale is the geometric mean of frame side / box side; offsets are from the box centre, in box sides.

    Raises:
        DataError: Haar found fewer than 20 faces.
    """
    found = [_relation(image, detector) for image in tqdm(images, desc="faces", mininterval=1, disable=None)]
    relations = np.array([relation for relation in found if relation is not None])
    if len(relations) < _LEAST_FACES:
        raise DataError(
            f"Haar found {len(relations)} of {len(images)} faces; at least {_LEAST_FACES} are needed"
        )
    log_scale, offset_x, offset_y = relations.mean(axis=0)
    scale = float(np.exp(log_scale))
    spread = relations.std(axis=0)
    framing = Framing(
        scale=round(scale, 4),
        offset_x=round(float(offset_x), 4),
        offset_y=round(float(offset_y), 4),
        faces_measured=len(relations),
    )
    return FramingFit(framing, float(scale * spread[0]), float(spread[1]), float(spread[2]), len(images))


def _relation(image: NDArray[np.uint8], detector: HaarDetector) -> tuple[float, float, float] | None:
    """Log scale and offsets of one face; none where Haar finds nothing that covers the frame by a quarter."""
    large = cv2.resize(image, (ENLARGED_PX, ENLARGED_PX), interpolation=cv2.INTER_CUBIC)
    pad = PADDING_PX
    padded = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    frame = Box(pad, pad, ENLARGED_PX, ENLARGED_PX)
    boxes = detector.detect(np.asarray(padded, np.uint8))
    box = max(boxes, key=lambda box: intersection_over_union(box, frame), default=None)
    if box is None or intersection_over_union(box, frame) < 0.25:
        return None
    dx, dy = frame.centre[0] - box.centre[0], frame.centre[1] - box.centre[1]
    return float(np.log(frame.side / box.side)), dx / box.side, dy / box.side
