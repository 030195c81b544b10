"""What lies around a training face: 48 x 48 data sets cut it off, real frames have pixels there."""

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

PAD = 0.5
"""Width of the surroundings on each side, in sides of the face."""


def with_surroundings(image: Grey, random: np.random.Generator, other: Grey | None = None) -> Grey:
    """The face (H x W) amid random surroundings: (H + 2 p) x (W + 2 p) with p = `PAD` x H.

    Repeated edge pixels, a mirror image, flat grey, a slope, coarse noise, or a blown-up part of `other`; one
    time in two the seam is blended over a few pixels, so that a network cannot rely on seeing it.
    """
    pad = round(PAD * image.shape[0])
    kind = random.integers(7)
    if kind <= 1:
        return _padded(image, pad, cv2.BORDER_REPLICATE)
    if kind == 2:
        return _padded(image, pad, cv2.BORDER_REFLECT_101)
    ground = _ground(int(kind), image, pad, random, other)
    if random.random() < 0.5:
        return _blended(image, ground, pad, int(random.integers(2, 7)))
    ground[pad : pad + image.shape[0], pad : pad + image.shape[1]] = image
    return ground


def plain_surroundings(image: Grey) -> Grey:
    """The face (H x W) amid repeated edge pixels, the same size as `with_surroundings`."""
    return _padded(image, round(PAD * image.shape[0]), cv2.BORDER_REPLICATE)


def _padded(image: Grey, pad: int, border: int) -> Grey:
    return np.asarray(cv2.copyMakeBorder(image, pad, pad, pad, pad, border), np.uint8)


def _ground(kind: int, image: Grey, pad: int, random: np.random.Generator, other: Grey | None) -> Grey:
    height, width = image.shape[0] + 2 * pad, image.shape[1] + 2 * pad
    if kind == 3:
        return np.full((height, width), random.integers(256), np.uint8)
    if kind == 4:
        corners = random.integers(0, 256, (2, 2)).astype(np.float32)
    elif kind == 5 or other is None:
        cells = int(random.integers(3, 13))
        noise = random.normal(random.uniform(40, 215), random.uniform(10, 60), (cells, cells))
        corners = noise.astype(np.float32)
    else:
        side = int(random.integers(8, 25))
        top, left = (
            random.integers(0, image.shape[0] - side + 1),
            random.integers(0, image.shape[1] - side + 1),
        )
        corners = other[top : top + side, left : left + side].astype(np.float32)
    large = cv2.resize(corners, (width, height), interpolation=cv2.INTER_CUBIC)
    return large.clip(0, 255).astype(np.uint8)


def _blended(image: Grey, ground: Grey, pad: int, seam_px: int) -> Grey:
    """`image` over the middle of `ground`, fading out over `seam_px` pixels inside its edge."""
    height, width = image.shape
    fade_y, fade_x = (
        np.minimum(np.arange(side) + 0.5, side - 0.5 - np.arange(side)).clip(max=seam_px) / seam_px
        for side in (height, width)
    )
    share = np.minimum(fade_y[:, None], fade_x[None, :])
    middle = ground[pad : pad + height, pad : pad + width]
    ground[pad : pad + height, pad : pad + width] = (image * share + middle * (1 - share)).astype(np.uint8)
    return ground
