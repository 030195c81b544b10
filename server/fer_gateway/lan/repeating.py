"""A task that is done again and again while something else is served."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(task: Callable[[], None], every_s: float, name: str) -> Iterator[None]:
    """Do `task` every so many seconds in a thread called `name`, for the time of the block."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(every_s):
            task()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
