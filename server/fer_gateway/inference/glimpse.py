"""The last look for a face: the landmark model glances at every part of a picture."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.inference.landmarks import LandmarkModel, Located
from fer_gateway.vision.align import Grey
from fer_gateway.vision.landmarks import Points

SMALLEST_FACE = 0.15
"""Side of the smallest frame, as a share of the picture's shorter side."""

_LEAST_PX = 20.0
_LEAST_OF_LONGER = 0.06  # bounds the glances at long, narrow pictures

CLEAR = 0.88
"""Landmarks count below this part of the error up to which they are plausible: of a box that a cascade drew,
half is known already; here nothing is."""

_STRIDE, _RATIO = 0.6, 1.5
_BEST = 5


def search(model: LandmarkModel, grey: Grey, smallest: float = SMALLEST_FACE) -> Located | None:
    """The clearest face of a picture (H x W, uint8), upright or not, or none.

    The network looks at a grid of squares of several sizes, 0.6 of their side apart, each 1.5 times the size
    of the last. Where it expects the smallest errors it looks again, twice, each time at what it found.
    """
    places, errors = _glances(model, grey, smallest)
    best = [places[index] for index in np.argsort(errors)[:_BEST]]
    again = [located.points for located in model.follow(grey, best)]
    clearest = min(model.follow(grey, again), key=lambda one: one.expected_error, default=None)
    if clearest is None or clearest.expected_error >= CLEAR * model.card.plausible_below:
        return None
    return clearest


def _glances(model: LandmarkModel, grey: Grey, smallest: float) -> tuple[list[Points], NDArray[np.float64]]:
    """The points (5 x 2 each, pixels) and expected errors that every glance gives."""
    places: list[Points] = []
    errors: list[float] = []
    for side_px in _sides(grey, smallest):
        crops, corners, scale = _squares(grey, model.card.size_px, model.card.margin, side_px)
        points, error = model.run(crops)
        places += list((points * model.card.size_px + corners[:, None]) * scale)
        errors += error.tolist()
    return places, np.array(errors)


def _sides(grey: Grey, smallest: float) -> Iterator[float]:
    most_px = float(min(grey.shape))
    side_px = max(smallest * most_px, _LEAST_OF_LONGER * max(grey.shape), _LEAST_PX)
    while side_px <= most_px:
        yield side_px
        side_px *= _RATIO


def _squares(
    grey: Grey, size_px: int, margin: float, side_px: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64], float]:
    """Crops (N x S x S x 1) of frames `side_px` wide, their corners (N x 2) in a reduced picture, its scale.

    The picture is reduced once, so that a crop is a part of it; beyond the edges its pixels are repeated.
    """
    frame_px = size_px / (1 + 2 * margin)
    scale = side_px / frame_px
    width, height = (max(1, round(length / scale)) for length in grey.shape[::-1])
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    pad = size_px // 2
    padded = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    rows, columns = (_starts(length, size_px, pad, _STRIDE * frame_px) for length in (height, width))
    crops = [padded[y : y + size_px, x : x + size_px] for y in rows for x in columns]
    corners = np.array([(x - pad, y - pad) for y in rows for x in columns], np.float64)
    return np.asarray(np.stack(crops)[..., None], np.uint8), corners, scale


def _starts(length: int, size_px: int, pad: int, stride: float) -> NDArray[np.int64]:
    """Where crops start along one side of the padded picture; the outermost reach a third beyond it."""
    first, last = pad - size_px // 3, pad + length - size_px + size_px // 3
    if last <= first:
        return np.array([(first + last) // 2])
    count = int(np.ceil((last - first) / stride)) + 1
    return np.linspace(first, last, count).round().astype(np.int64)
