"""How many frames all streams together may have under way: as many as keep the workers busy, not more."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

QUEUE_S = 0.04
"""How long a frame may wait for its turn, as a rule; then clients get fewer frames, not older ones."""

PATIENCE_S = 0.25
"""How long a frame is expected after its credit; a camera that is slower waits with its credit."""

LEAST_PER_WORKER = 2
"""One frame that is analysed and one that is there when it is done."""

WEIGHT = 0.1
"""Of the newest value in a running mean."""

GUESSED_SERVICE_S = 0.01


class Crowd:
    """Divides what the workers can do among the streams, one frame each in turn.

    A frame under way, or a credit whose frame is expected soon, is one that later frames have to wait for.
    Little's law says how many there may be: workers / (seconds of a turn) * (seconds from a credit to its
    frame + seconds that the frame may wait).
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._service_s = GUESSED_SERVICE_S
        self._travel_s = 0.0
        self._under_way = 0
        self._expected: dict[object, float] = {}  # when each credit was granted, the oldest first
        self._waiting = 0
        self._line = anyio.Lock()  # first come, first served
        self._changed = anyio.Event()

    @property
    def limit(self) -> int:
        """Frames that may be under way or expected."""
        flow = self._workers / self._service_s
        return max(LEAST_PER_WORKER * self._workers, round(flow * (self._travel_s + QUEUE_S)))

    def served(self, duration_s: float) -> None:
        """Count the time of a turn."""
        self._service_s += WEIGHT * (max(duration_s, 1e-4) - self._service_s)

    def take(self, wanted: int) -> int:
        """How many of `wanted` credits may be granted now; never before a stream that waits for one."""
        return 0 if self._waiting else min(wanted, max(0, self._room()))

    async def wait(self) -> None:
        """Wait in line until one credit may be granted."""
        self._waiting += 1
        try:
            async with self._line:
                while self._room() <= 0:
                    with anyio.move_on_after(PATIENCE_S / 4):  # a frame may be expected no longer
                        await self._changed.wait()
        finally:
            self._waiting -= 1

    def change(self, under_way: int) -> None:
        """Count so many frames under way more, or fewer; and let who is first in line look again."""
        self._under_way += under_way
        if self._waiting:
            self._changed.set()
            self._changed = anyio.Event()

    def expect(self, credit: object) -> None:
        """Expect the frame of a credit from now on."""
        self._expected[credit] = anyio.current_time()

    def expect_no_longer(self, credit: object) -> None:
        """The frame came, or will not."""
        if (granted_s := self._expected.pop(credit, None)) is not None:
            self._travel_s += WEIGHT * (anyio.current_time() - granted_s - self._travel_s)

    def _room(self) -> int:
        too_old_s = anyio.current_time() - PATIENCE_S
        while self._expected and self._expected[first := next(iter(self._expected))] < too_old_s:
            del self._expected[first]
        return self.limit - self._under_way - len(self._expected)


class Share:
    """What one stream has of the crowd's work."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._credits: deque[object] = deque()
        self._under_way = 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Whatever was noted in the block is over at its end."""
        try:
            yield
        finally:
            self.note(0, 0)

    def note(self, held: int, under_way: int) -> None:
        """The credits that the client holds now, and its frames that wait or are analysed."""
        while len(self._credits) > held:
            self._crowd.expect_no_longer(self._credits.popleft())
        while len(self._credits) < held:
            self._credits.append(credit := object())
            self._crowd.expect(credit)
        self._crowd.change(under_way - self._under_way)
        self._under_way = under_way
