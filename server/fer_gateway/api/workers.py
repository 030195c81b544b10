"""The threads that work on pixels, the queue in front of them, and the watch over those that hang."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import anyio

from fer_gateway.errors import AnalysisTimeout, WorkersStuck

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

TIME_LIMIT_S = 60.0
"""Seconds for one call; a phone takes a few for the largest picture."""

JOIN_S = 2.0
"""Seconds that `close` waits for a thread."""

log = logging.getLogger(__name__)


class Workers:
    """A fixed number of threads, handed out in the order in which turns were asked for.

    A stream asks for a turn only once it holds a frame, and for the next one only after its answer: first
    come, first served is then also one frame each in turn.

    Nobody can end a thread that hangs in native code. One that takes longer than `time_limit_s` is given up:
    its client gets an error and another thread its place. Once as many hang as there are places, and at least
    two, it is not one picture: `on_stuck` is called, and turns are refused until threads come back.
    """

    def __init__(
        self, count: int, time_limit_s: float = TIME_LIMIT_S, on_stuck: Callable[[], None] = lambda: None
    ) -> None:
        self.time_limit_s = time_limit_s
        self._stuck_limit = max(2, count)
        self._on_stuck = on_stuck
        self._turns = anyio.Semaphore(count)
        self._idle: list[PixelThread] = []
        self._busy: set[PixelThread] = set()
        self._given_up: list[Future[Any]] = []

    @property
    def stuck(self) -> int:
        """Threads that were given up and have not come back."""
        self._given_up = [call for call in self._given_up if not call.done()]
        return len(self._given_up)

    def check(self) -> None:
        """Whether pictures can be worked on.

        Raises:
            WorkersStuck: too many threads hang.
        """
        if self.stuck >= self._stuck_limit:
            raise WorkersStuck(
                f"`{self.stuck}` analyses hang: they have taken longer than `{self.time_limit_s:g}` s. The "
                "gateway starts again by itself; where it does not, start it again."
            )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Worker"]:
        """Wait for a free thread and keep it to the end of the block.

        Raises:
            WorkersStuck: see `check`.
        """
        async with self._turns:
            self.check()
            yield Worker(self)

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises, on a thread of its own; for whoever has a turn.

        Raises:
            AnalysisTimeout: it took longer than `time_limit_s`; it goes on, and nobody waits for it.
        """
        thread = self._idle.pop() if self._idle else PixelThread()
        self._busy.add(thread)
        call = thread.submit(work)
        answer = asyncio.wrap_future(call)
        with anyio.CancelScope(shield=True):
            await asyncio.wait((answer,), timeout=self.time_limit_s)
        self._busy.remove(thread)
        if answer.done():
            self._idle.append(thread)
            return answer.result()
        answer.cancel()  # the thread does not notice, but nobody looks for its result any more
        thread.close()
        self._give_up(call)
        raise AnalysisTimeout(
            f"The analysis took longer than `{self.time_limit_s:g}` s and was given up. Try again; raise "
            "`FER_ANALYSIS_TIMEOUT_S` on a slow machine."
        )

    def _give_up(self, call: Future[Any]) -> None:
        was_stuck = self.stuck >= self._stuck_limit
        self._given_up.append(call)
        log.error("a thread takes longer than `%g` s; `%d` hang now", self.time_limit_s, self.stuck)
        if self.stuck >= self._stuck_limit and not was_stuck:
            self._on_stuck()

    def close(self) -> None:
        """End the threads after what they are working on, those that hang excepted."""
        threads = [*self._idle, *self._busy]
        for thread in threads:
            thread.close()
        for thread in threads:
            thread.join(JOIN_S)


class Worker:
    """The right to use one thread, for as long as a turn lasts."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """What `function` returns or raises. A cancelled caller waits for the thread: turns never overlap.

        Raises:
            AnalysisTimeout: it took too long. It may still be at work: leave what it works with alone.
        """
        return await self._workers.run(partial(function, *args, **kwargs))


class PixelThread:
    """One thread that does one thing after the other, and that does not hold up the end of the process.

    The threads of an executor do: Python joins them when it ends, for ever where one hangs.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="pixels", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], Result]) -> "Future[Result]":
        """Have `work` done."""
        call: Future[Result] = Future()
        call.set_running_or_notify_cancel()
        self._calls.put((call, work))
        return call

    def close(self) -> None:
        """End after what was submitted."""
        self._calls.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (task := self._calls.get()) is not None:
            call, work = task
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
                call.set_exception(error)
            else:
                call.set_result(result)
                del result
            del task, call, work  # a picture must not stay in memory until the next one comes
