"""Image files to upright grey pixels."""

from collections.abc import Mapping

import cv2
import numpy as np

from fer_gateway.errors import BodyTooLarge, DamagedImage, TooManyPixels
from fer_gateway.vision.align import Grey
from fer_gateway.vision.header import MAX_BYTES, MAX_PIXELS, MAX_SIDE_PX, ImageHeader, read_header

__all__ = ["MAX_BYTES", "MAX_PIXELS", "MAX_SIDE_PX", "Grey", "ImageHeader", "decode_grey", "read_header"]

_TURNS: Mapping[int, tuple[bool, int | None]] = {
    1: (False, None),
    2: (True, None),
    3: (False, cv2.ROTATE_180),
    4: (True, cv2.ROTATE_180),
    5: (True, cv2.ROTATE_90_COUNTERCLOCKWISE),
    6: (False, cv2.ROTATE_90_CLOCKWISE),
    7: (True, cv2.ROTATE_90_CLOCKWISE),
    8: (False, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""EXIF orientation to (mirror left to right first?, then turn)."""


def decode_grey(data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Grey:
    """Decode a JPEG, PNG or WebP file; of an animation the first frame.

    16-bit samples become 8-bit ones, colours their luminance (Rec. 601), transparency is ignored, EXIF
    orientation is applied. Whatever the header gives away is refused before a pixel is decoded.

    Returns:
        H x W, uint8, upright.

    Raises:
        EmptyImage, UnsupportedImage: see `read_header`.
        BodyTooLarge: more than `max_bytes`.
        TooManyPixels: more than `max_pixels`, or a side over `MAX_SIDE_PX`.
        DamagedImage: cut off, or not decodable.
    """
    if len(data) > max_bytes:
        raise BodyTooLarge(f"The image has more than {max_bytes:,} bytes; send a smaller one.")
    header = read_header(data)
    if header.width * header.height > max_pixels or max(header.width, header.height) > MAX_SIDE_PX:
        raise TooManyPixels(
            f"The image has {header.width:,} x {header.height:,} pixels; "
            f"send at most {max_pixels:,} pixels and {MAX_SIDE_PX:,} a side."
        )
    if not header.intact:
        raise DamagedImage(f"The {header.kind.upper()} file is cut off or altered; send the whole file.")
    return upright(_pixels(data, header), header.orientation)


def upright(grey: Grey, orientation: int) -> Grey:
    """Turn a picture (H x W) stored with an EXIF orientation 1..8 the way it is to be seen."""
    mirrored, turn = _TURNS[orientation]
    if mirrored:
        grey = cv2.flip(grey, 1)  # type: ignore[assignment]
    if turn is not None:
        grey = cv2.rotate(grey, turn)  # type: ignore[assignment]
    return grey


def _pixels(data: bytes, header: ImageHeader) -> Grey:
    # Which formats OpenCV turns by itself depends on its version: we do it for all.
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        grey = None
    # `None` is OpenCV's answer to a broken file; another size means that header and pixels disagree.
    if grey is None or grey.shape != (header.height, header.width):
        raise DamagedImage(f"The {header.kind.upper()} file cannot be decoded; save the image again.")
    return grey  # type: ignore[return-value]
