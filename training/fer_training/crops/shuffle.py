"""The faces of an epoch in a new order, in batches that are made while the one before is used."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Chunk = NDArray[np.int64]
"""Indices of the faces of a batch."""

Batch = TypeVar("Batch")


def steps_of(faces: int, batch_size: int) -> int:
    """Batches in an epoch; the remainder is left out, another one each time."""
    return max(1, faces // batch_size)


def shuffled(
    faces: int, batch_size: int, seed: tuple[int, int], rank: int = 0, processes: int = 1
) -> list[Chunk]:
    """The batches of an epoch; `seed` is that of the run and the number of the epoch.

    Of `processes` that train together, number `rank` gets its own part of each step: together they see what
    one would with `processes` times the batch size.
    """
    order = np.random.default_rng(seed).permutation(faces)
    places = range(rank, steps_of(faces, batch_size * processes) * processes, processes)
    return [order[place * batch_size : (place + 1) * batch_size] for place in places]


def prefetched(make: Callable[[Chunk], Batch], chunks: Sequence[Chunk]) -> Iterator[Batch]:
    """What `make` gives for each chunk, in order; the next is made in a thread while one is used."""
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(make, chunks[0])
        for following in chunks[1:]:
            batch = upcoming.result()
            upcoming = pool.submit(make, following)
            yield batch
        yield upcoming.result()
