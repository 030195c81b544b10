"""How much one client may ask for: requests over time, and places at the same time."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fer_gateway.errors import Busy, RateLimited

MAX_KEYS = 4096
"""Clients that are remembered; the memory of a flood of addresses ends here."""


class Allowance:
    """So many requests a minute for each key: a bucket that holds a minute's worth and fills evenly."""

    def __init__(self, per_minute: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._capacity = per_minute
        self._clock_s = clock_s
        self._levels: dict[str, tuple[float, float]] = {}  # the fullest wait at the front

    def take(self, key: str) -> None:
        """Count one request.

        Raises:
            RateLimited: the key has used up what it may; says when to try again.
        """
        now_s, rate = self._clock_s(), self._capacity / 60
        level, seen_s = self._levels.pop(key, (float(self._capacity), now_s))
        level = min(self._capacity, level + (now_s - seen_s) * rate)
        if level < 1:
            self._levels[key] = (level, now_s)
            wait_s = math.ceil((1 - level) / rate)
            raise RateLimited(
                f"At most `{self._capacity}` of these requests a minute. Try again in `{wait_s}` s.", wait_s
            )
        self._levels[key] = (level - 1, now_s)
        if len(self._levels) > MAX_KEYS:
            del self._levels[next(iter(self._levels))]  # the one that has been silent for longest


class Places:
    """So many things at the same time for each key."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: dict[str, int] = {}

    @contextmanager
    def take(self, key: str) -> Iterator[None]:
        """A place for the time of the block.

        Raises:
            Busy: the key has taken all of its places.
        """
        taken = self._taken.get(key, 0)
        if taken >= self._each:
            raise Busy(f"This client has `{taken}` streams already, as many as it may. Close one of them.")
        self._taken[key] = taken + 1
        try:
            yield
        finally:
            left = self._taken[key] - 1
            if left:
                self._taken[key] = left
            else:
                del self._taken[key]
