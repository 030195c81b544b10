"""A task that is done again and again while something else is served."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def repeating(task: Callable[[], None], every_s: float, name: str) -> Iterator[None]:
    """Do `task` every so many seconds in a thread called `name`, for the time of the block.

    What it raises is logged, and it is done again.
    """
    over = threading.Event()

    def run() -> None:
        while not over.wait(every_s):
            try:
                task()
            except Exception:
                log.exception("what is done every `%g` s for the `%s` failed", every_s, name)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
