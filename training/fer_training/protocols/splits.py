"""Which faces train and which test: random images, as most papers on CK+ do, or people never seen before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_training.errors import ConfigError

Protocol = Literal["random", "folds", "subjects"]
"""Random 80/20 splits of images; random folds of images; folds of people."""

TEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Fold:
    """One training and its test: sorted indices of faces, none in both."""

    name: str
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def make_folds(
    protocol: Protocol, subjects: NDArray[np.int64], labels: NDArray[np.int64], count: int, seed: int = 0
) -> tuple[Fold, ...]:
    """The folds of a protocol for faces of these people (N) and classes (N); the same for the same seed.

    Raises:
        ConfigError: fewer people or faces than folds.
    """
    if protocol == "random":
        return random_splits(len(labels), count, seed)
    if protocol == "folds":
        return random_folds(len(labels), count, seed)
    return subject_folds(subjects, labels, count, seed)


def random_splits(faces: int, count: int, seed: int = 0) -> tuple[Fold, ...]:
    """`count` splits of the images, 80 % to train, 20 % to test, each with a seed of its own."""
    tests = round(TEST_SHARE * faces)
    if not 0 < tests < faces:
        raise ConfigError(f"{faces} faces are too few for a split of 80 to 20 %")
    orders = [np.random.default_rng((seed, number)).permutation(faces) for number in range(count)]
    return tuple(
        Fold(f"seed-{number}", np.sort(order[tests:]), np.sort(order[:tests]))
        for number, order in enumerate(orders)
    )


def random_folds(faces: int, count: int, seed: int = 0) -> tuple[Fold, ...]:
    """Folds of images that differ by one in size; each face is tested once."""
    if not 2 <= count <= faces:
        raise ConfigError(f"{faces} faces cannot make {count} folds")
    order = np.random.default_rng(seed).permutation(faces)
    return _folds([np.sort(part) for part in np.array_split(order, count)], faces)


def subject_folds(
    subjects: NDArray[np.int64], labels: NDArray[np.int64], count: int, seed: int = 0
) -> tuple[Fold, ...]:
    """Folds of people, each tested once: nobody is in training and test of the same fold.

    Greedy: people with many faces first (among equals in random order), each into the fold that it brings
    nearest to an equal share of every class and of all faces.
    """
    people = np.random.default_rng(seed).permutation(np.unique(subjects))
    if not 2 <= count <= len(people):
        raise ConfigError(f"{len(people)} people cannot make {count} folds")
    kinds = int(labels.max()) + 1
    counts = {
        int(person): np.bincount(labels[subjects == person], minlength=kinds).astype(float)
        for person in people
    }
    share = np.bincount(labels, minlength=kinds) / count
    filled, members = np.zeros((count, kinds)), [list[int]() for _ in range(count)]
    for person in sorted(counts, key=lambda person: -counts[person].sum()):
        # Squared excess of the classes, each in shares of its own size, and of all faces
        before, after = filled / share.clip(min=1), (filled + counts[person]) / share.clip(min=1)
        sizes = filled.sum(axis=1) / share.sum()
        sizes_after = sizes + counts[person].sum() / share.sum()
        cost = (after**2 - before**2).sum(axis=1) + kinds * (sizes_after**2 - sizes**2)
        # Nobody may go where a fold would be left without people
        empty = [number for number, people_in in enumerate(members) if not people_in]
        left = len(counts) - sum(map(len, members))
        chosen = min(empty if left <= len(empty) else range(count), key=lambda number: cost[number])
        members[chosen].append(person)
        filled[chosen] += counts[person]
    return _folds([np.flatnonzero(np.isin(subjects, people_in)) for people_in in members], len(labels))


def _folds(tests: Sequence[NDArray[np.int64]], faces: int) -> tuple[Fold, ...]:
    everything = np.arange(faces)
    return tuple(
        Fold(f"fold-{number}", np.setdiff1d(everything, test), test) for number, test in enumerate(tests)
    )
