"""The parts of a data set that has none: what is held out for validation and test, always the same."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_training.data.parts import Split

SHARE = 0.1
"""Of all faces, for validation and as much for test."""

Indices = NDArray[np.int64]


def hold_out(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    people: Sequence[str] | None,
    wanted: Sequence[Split] = ("test", "validation"),
) -> Mapping[Split, Indices]:
    """Which of N faces (images N x S x S, labels N) train, and which are held out for each wanted part.

    The order of a hash decides, not of the files: a folder, its zip file and a renamed copy are split alike,
    and identical pictures lie side by side. A tenth of each class, at least one face, is held out; where it
    is known who is on the faces (`people`, N), whole people until they make up a tenth of all faces.
    """
    left = np.arange(len(labels))
    parts: dict[Split, Indices] = {}
    for part in wanted:
        taken = _whole_people(left, people) if people else _of_each_class(left, images, labels)
        parts[part] = np.sort(taken)
        left = np.setdiff1d(left, taken)
    return {"train": left, **parts}


def _of_each_class(left: Indices, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Indices:
    taken: list[int] = []
    for label in np.unique(labels):
        count = max(1, round(SHARE * int((labels == label).sum())))
        members = left[labels[left] == label].tolist()
        members.sort(key=lambda index: _hash(images[index].tobytes()))
        taken += members[:count] if len(members) > count else []
    return np.array(taken, np.int64)


def _whole_people(left: Indices, people: Sequence[str]) -> Indices:
    who = np.array(people, dtype=object)
    taken = np.zeros(len(who), bool)
    for person in sorted(set(who[left]), key=lambda person: _hash(str(person).encode())):
        if taken.sum() >= SHARE * len(who):
            break
        taken |= who == person
    return np.intersect1d(np.flatnonzero(taken), left)


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
