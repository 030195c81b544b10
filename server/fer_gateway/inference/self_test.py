"""Two crops made of integer arithmetic, to prove that a model answers here as it did at export."""

import numpy as np
from numpy.typing import NDArray


def make_crops(size_px: int) -> NDArray[np.uint8]:
    """The self-test input: 2 x `size_px` x `size_px` x 1, uint8.

    Crop 0 is a diagonal ramp with a fine check; crop 1 is a bright disc with two dark discs in its upper
    half and a dark bar below, roughly a face, so that the answer is not at the flat end of the softmax.
    """
    y, x = np.mgrid[0:size_px, 0:size_px].astype(np.int64)
    ramp = (x * 160 + y * 80) // size_px + 16 * ((x // 4 + y // 4) % 2)
    u, v = 256 * x // size_px - 128, 256 * y // size_px - 128
    face = np.where(u * u + v * v < 120 * 120, 190, 60) + v // 8
    for eye_u in (-48, 48):
        face = np.where((u - eye_u) ** 2 + (v + 40) ** 2 < 18 * 18, 40, face)
    face = np.where((abs(u) < 44) & (abs(v - 60) < 8), 50, face)
    return np.stack([ramp, face]).clip(0, 255).astype(np.uint8)[..., None]
