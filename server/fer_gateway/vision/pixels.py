"""Picture arrays to grey pixels, as `decode` gives them."""

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.errors import InvalidArray, TooManyPixels
from fer_gateway.vision.align import Grey
from fer_gateway.vision.header import MAX_SIDE_PX

Channels = Literal["bgr", "rgb"]
"""The order of the channels of a colour picture: `bgr` is OpenCV's, `rgb` that of most others."""


def grey_of(pixels: NDArray[Any], channels: Channels | None = None) -> Grey:
    """The luminance (Rec. 601) of a picture in memory.

    Args:
        pixels: H x W (grey) or H x W x 3, uint8, upright.
        channels: the order of the three channels, which nothing in an array tells; not for grey ones.

    Returns:
        H x W, uint8, contiguous; a view of `pixels` where that is so already.

    Raises:
        InvalidArray: another shape or type, or a colour picture without `channels`.
        TooManyPixels: a side over `MAX_SIDE_PX`.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        kind = f"{pixels.dtype}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise InvalidArray(f"A picture is a numpy array of `uint8`; this is `{kind}`.")
    is_colour = pixels.ndim == 3 and pixels.shape[2] == 3
    if not (is_colour or pixels.ndim == 2) or 0 in pixels.shape:
        shape = " x ".join(map(str, pixels.shape))
        raise InvalidArray(f"A picture has H x W (grey) or H x W x 3 values; this has `{shape}`.")
    if max(pixels.shape[:2]) > MAX_SIDE_PX:
        raise TooManyPixels(f"The picture has a side of more than {MAX_SIDE_PX:,} px; give a smaller one.")
    if not is_colour:
        return np.ascontiguousarray(pixels)
    if channels not in ("bgr", "rgb"):
        raise InvalidArray('A colour picture needs `channels="bgr"` (OpenCV) or `channels="rgb"` (Pillow).')
    conversion = cv2.COLOR_BGR2GRAY if channels == "bgr" else cv2.COLOR_RGB2GRAY
    return cv2.cvtColor(np.ascontiguousarray(pixels), conversion)  # type: ignore[return-value]
