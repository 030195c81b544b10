"""Pictures to measure on: drawn faces, any number of them at any size, or a photo that the user names."""

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.commands.drawn import draw_face
from fer_gateway.errors import UnreadableFile
from fer_gateway.library import content_of
from fer_gateway.vision.decode import decode_grey

Grey = NDArray[np.uint8]

_GRAIN = 3.0  # grey levels of noise, as a camera has them
_GROUND = 120.0
_MOST_FACE = 0.62  # of the height: the drawing, hair included
_QUALITY = 85


def frames(width_px: int, faces: int, count: int, picture: Path | None = None) -> list[bytes]:
    """JPEGs of a camera that moves a little, 4:3, `width_px` wide; of a photo as wide, in its own shape.

    Args:
        width_px: of each frame.
        faces: drawn faces side by side in rows; not for a photo, which has its own.
        count: frames; they move to one side and back.
        picture: a JPEG, PNG or WebP file instead of drawn faces.

    Raises:
        UnreadableFile, ImageError: of the photo.
    """
    scene = _photo(picture, width_px) if picture else _drawn(width_px, faces)
    random = np.random.default_rng(1)
    step_px = max(1, round(width_px / 320))
    reach_px = step_px * (count // 2)
    wide = cv2.copyMakeBorder(scene, 0, 0, reach_px, 0, cv2.BORDER_REPLICATE)
    jpegs = []
    for number in range(count):
        left = reach_px - step_px * min(number, count - number)
        moved = wide[:, left : left + width_px]
        noisy = moved + random.normal(0, _GRAIN, moved.shape)
        encoded = cv2.imencode(
            ".jpg", noisy.round().clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        )[1]
        jpegs.append(bytes(encoded))
    return jpegs


def _photo(path: Path, width_px: int) -> NDArray[np.float32]:
    grey = decode_grey(content_of(path))
    height_px = max(1, round(grey.shape[0] * width_px / grey.shape[1]))
    if min(height_px, width_px) < 64:
        raise UnreadableFile(f"`{path}` is too narrow to measure on; take a photo of ordinary shape.")
    kind = cv2.INTER_AREA if width_px < grey.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (width_px, height_px), interpolation=kind), np.float32)


def _drawn(width_px: int, faces: int) -> NDArray[np.float32]:
    height_px = width_px * 3 // 4
    scene = np.full((height_px, width_px), _GROUND, np.float32)
    columns = math.ceil(math.sqrt(faces))
    rows = math.ceil(faces / columns)
    cell_x, cell_y = width_px // columns, height_px // rows
    side = min(round(_MOST_FACE * height_px), cell_x, cell_y)
    face = cv2.resize(draw_face(), (side, side), interpolation=cv2.INTER_AREA)
    for number in range(faces):
        row, column = divmod(number, columns)
        left, top = column * cell_x + (cell_x - side) // 2, row * cell_y + (cell_y - side) // 2
        scene[top : top + side, left : left + side] = face
    return scene
