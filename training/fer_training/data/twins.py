"""Faces that stand in two parts of a data set: pixel for pixel, or as another cut of the same photo."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_training.data.ferplus import Faces

Greys = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HASH_DISTANCE = 16
"""Bits of 63 in which the hashes of a pair may differ for its pixels to be compared."""

CORRELATION = 0.88
"""Least correlation of the pixels of two cuts of one photo, after the best shift."""

SHIFT_PX = 3

_HASH_PX = 32
_COEFFICIENTS = 8
_CHUNK = 500


def drop_twins(
    parts: dict[str, Faces], find: Callable[[Greys, Greys], Mask] | None = None
) -> dict[str, Faces]:
    """Drop training faces that stand in another part, and public ones that stand in the private.

    FER2013 holds the same faces in several parts; a model that saw them in training scores too high.
    `find` says which of N faces stand among M others: `exact_twins` (default) or `near_twins`.
    """
    find = find or exact_twins
    train, public, private = parts["train"], parts["public"], parts["private"]
    held_out = np.concatenate([public.images, private.images])
    return {
        "train": train[~find(train.images, held_out)],
        "public": public[~find(public.images, private.images)],
        "private": private,
    }


def exact_twins(faces: Greys, others: Greys) -> Mask:
    """Which of N faces (N x H x W) stand pixel for pixel among the others (M x H x W)."""
    pixels = {other.tobytes() for other in others}
    return np.array([face.tobytes() in pixels for face in faces], dtype=bool)


def near_twins(faces: Greys, others: Greys) -> Mask:
    """Which of N faces (N x H x W) are the same photo as one of the others (M x H x W), or its mirror image.

    Candidates are pairs whose perceptual hashes differ in at most `HASH_DISTANCE` bits. Of those, a twin is a
    pair whose pixels correlate by at least `CORRELATION` at the best shift of up to `SHIFT_PX` pixels.
    On FER2013 a look at the pairs found nearly all above 0.90 to be the same photo, and few below 0.86.
    """
    found = np.zeros(len(faces), dtype=bool)
    for views in (faces, faces[:, :, ::-1]):
        for face, other in _candidates(views, others):
            found[face] = found[face] or _correlation(views[face], others[other]) >= CORRELATION
    return found


def perceptual_hashes(images: Greys) -> NDArray[np.uint64]:
    """N hashes of N x H x W: signs of the 63 lowest frequencies of the cosine transform about their median.

    It is the `pHash` of Zauner 2010 (Implementation and Benchmarking of Perceptual Image Hash Functions).
    """
    bits = np.zeros((len(images), 64), dtype=bool)
    for row, image in zip(bits, images, strict=True):
        small = cv2.resize(image, (_HASH_PX, _HASH_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        low = cv2.dct(small)[:_COEFFICIENTS, :_COEFFICIENTS].ravel()[1:]
        row[1:] = low > np.median(low)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def _candidates(faces: Greys, others: Greys) -> Iterator[tuple[int, int]]:
    hashes, other_hashes = perceptual_hashes(faces), perceptual_hashes(others)
    for start in range(0, len(faces), _CHUNK):
        distances = np.bitwise_count(hashes[start : start + _CHUNK, None] ^ other_hashes[None])
        for face, other in np.argwhere(distances <= HASH_DISTANCE):
            yield start + int(face), int(other)


def _correlation(face: Greys, other: Greys) -> float:
    """The best normalised correlation of the middle of `other` with `face`, both H x W."""
    inner = np.ascontiguousarray(other[SHIFT_PX:-SHIFT_PX, SHIFT_PX:-SHIFT_PX])
    return float(cv2.matchTemplate(np.ascontiguousarray(face), inner, cv2.TM_CCOEFF_NORMED).max())
