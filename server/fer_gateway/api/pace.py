"""A cap on the frames a second of all streams together: it hands out the credits they wait for."""

import math

import anyio


class Pace:
    """Grants one credit every `1 / max_fps` seconds, to the streams in the order in which they asked.

    A client sends one frame for each credit, so withheld credits are frames that no camera takes, no phone
    encodes and nobody analyses. Without a cap, every credit is granted at once.
    """

    def __init__(self, max_fps: float | None = None) -> None:
        self._max_fps = max_fps
        self._free_s = -math.inf  # when the next credit may be granted, on the clock of the event loop
        self._waiting = 0
        self._line = anyio.Lock()  # first come, first served
        self._changed = anyio.Event()

    @property
    def max_fps(self) -> float | None:
        """The cap in frames a second; may be changed at any time."""
        return self._max_fps

    @max_fps.setter
    def max_fps(self, max_fps: float | None) -> None:
        self._max_fps = max_fps
        self._changed.set()
        self._changed = anyio.Event()

    def take(self, wanted: int) -> int:
        """How many of `wanted` credits may be granted now; never before a stream that waits for one."""
        if self._max_fps is None:
            return wanted
        if wanted == 0 or self._waiting or anyio.current_time() < self._free_s:
            return 0
        self._spend()
        return 1

    async def wait(self) -> None:
        """Wait in line until one credit may be granted."""
        self._waiting += 1
        try:
            async with self._line:
                while self._max_fps is not None and (rest_s := self._free_s - anyio.current_time()) > 0:
                    with anyio.move_on_after(rest_s):
                        await self._changed.wait()
                self._spend()
        finally:
            self._waiting -= 1

    def _spend(self) -> None:
        if self._max_fps is not None:
            gap_s = 1 / self._max_fps
            # From when it was due, not from now: a busy loop wakes late, and the rate would fall behind.
            self._free_s = max(self._free_s, anyio.current_time() - gap_s) + gap_s
