"""Light evened out: what is left of a picture is how each pixel differs from its surroundings."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.align import Grey

Evened = NDArray[np.float32]

_REACH_PX = 25
_LEAST_DEVIATION = 6.0  # grey levels; below it is noise


def evened(grey: Grey) -> Evened:
    """(grey - mean) / deviation over the 25 x 25 px around each pixel, H x W, float32, -4..4.

    As Haar cascades divide each window by its deviation: a face in the dark looks like one in the sun.
    """
    levels = grey.astype(np.float32)
    size = (_REACH_PX, _REACH_PX)
    mean = cv2.blur(levels, size)
    deviation = cv2.sqrt(np.maximum(cv2.sqrBoxFilter(levels, -1, size) - mean * mean, 0))
    return np.asarray(((levels - mean) / (deviation + _LEAST_DEVIATION)).clip(-4, 4), np.float32)
