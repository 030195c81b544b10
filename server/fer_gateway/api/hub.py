"""Results on their way from those who analyse to those who listen."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio

from fer_gateway.contract import ModelCard
from fer_gateway.errors import Busy
from fer_gateway.faces import Analysis, analysis_to_dict

MAX_LISTENERS = 8
BACKLOG = 64
"""Results that wait for a listener that is slow; older ones are dropped, and it is told how many."""


class Listener:
    """One client's queue of results."""

    def __init__(self) -> None:
        self._results: deque[dict[str, Any]] = deque()
        self._filled = anyio.Event()
        self._dropped = 0

    def put(self, result: dict[str, Any]) -> None:
        """Place a result at the end; where there is no room, instead of the oldest one."""
        if len(self._results) == BACKLOG:
            self._results.popleft()
            self._dropped += 1
        self._results.append(result)
        self._filled.set()

    async def next(self) -> dict[str, Any]:
        """Wait for the next result; `dropped` tells how many it has missed so far."""
        await self._filled.wait()
        result = self._results.popleft()
        if not self._results:
            self._filled = anyio.Event()
        return {**result, "dropped": self._dropped}


class Hub:
    """Gives every result to every listener; without one it costs nothing."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def __len__(self) -> int:
        return len(self._listeners)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """A listener for the time of the block.

        Raises:
            Busy: there are `MAX_LISTENERS` already.
        """
        if len(self._listeners) >= MAX_LISTENERS:
            raise Busy(f"`{MAX_LISTENERS}` clients listen already. Try again in a moment.")
        listener = Listener()
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)

    def publish(self, analysis: Analysis, card: ModelCard, *, stream: int | None = None) -> None:
        """Tell what a posted picture shows, or a frame of the stream of this number."""
        if not self._listeners:
            return
        result = analysis_to_dict(analysis, card)
        for face, members in zip(analysis.faces, result["faces"], strict=True):
            members["id"] = face.id
        source = "picture" if stream is None else "stream"
        for listener in self._listeners:
            listener.put({"source": source, "stream": stream, **result})
