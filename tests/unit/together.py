"""The same work in several threads at a time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")

THREADS = 4


def in_threads(function: Callable[[Work], Result], works: Sequence[Work]) -> list[list[Result]]:
    """What `function` makes of all works in each of four threads that start at once, half backwards."""
    start = threading.Barrier(THREADS)

    def run(thread: int) -> list[Result]:
        start.wait()
        order = works if thread % 2 else works[::-1]
        results = [function(work) for work in order]
        return results if thread % 2 else results[::-1]

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))
