"""Faces that stand in two parts of a data set: pixel for pixel, or as another cut of the same photo."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_training.data.ferplus import Faces
from fer_training.data.parts import SPLITS, Split

Greys = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HASH_DISTANCE = 16
"""Bits of 63 in which the hashes of a pair may differ for its pixels to be compared."""

CORRELATION = 0.88
"""Least correlation of the pixels of two cuts of one photo, after the best shift."""

SHIFT_PX = 3

_LATER: Mapping[Split, Sequence[Split]] = {
    "train": ("validation", "test"),
    "validation": ("test",),
    "test": (),
}
_HASH_PX = 32
_COEFFICIENTS = 8
_CHUNK = 500


def drop_twins(
    parts: Mapping[str, Faces], find: Callable[[Greys, Greys], Mask] | None = None
) -> dict[str, Faces]:
    """FER+ without twins: see `without_twins`."""
    images = {split: parts[part].images for split, part in SPLITS.items()}
    kept = without_twins(images, find)
    return {part: parts[part][kept[split]] for split, part in SPLITS.items()}


def without_twins(
    parts: Mapping[Split, Greys], find: Callable[[Greys, Greys], Mask] | None = None
) -> dict[Split, Mask]:
    """Which faces of each part (N x H x W) do not stand in a later part too; the test part keeps all.

    FER2013 holds the same faces in several parts; a model that saw them in training scores too high.
    `find` says which of N faces stand among M others: `exact_twins` (default) or `near_twins`.
    """
    find = find or exact_twins
    kept: dict[Split, Mask] = {}
    for split, later in _LATER.items():
        others = [parts[part] for part in later if part in parts]
        if split in parts:
            faces = parts[split]
            kept[split] = ~find(faces, np.concatenate(others)) if others else np.ones(len(faces), dtype=bool)
    return kept


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
