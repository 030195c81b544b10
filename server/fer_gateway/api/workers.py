"""The threads that work on pixels, and the queue in front of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import anyio

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Worker:
    """The right to use one thread, for as long as a turn lasts."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """What `function` returns or raises. A cancelled caller waits for the thread: turns never overlap."""
        future = asyncio.wrap_future(self._executor.submit(function, *args, **kwargs))
        with anyio.CancelScope(shield=True):
            await asyncio.wait((future,))
        return future.result()


class Workers:
    """A fixed number of threads, handed out in the order in which turns were asked for.

    A stream asks for a turn only once it holds a frame, and for the next one only after its answer: first
    come, first served is then also one frame each in turn.
    """

    def __init__(self, count: int) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="pixels")
        self._turns = anyio.Semaphore(count)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Worker]:
        """Wait for a free thread and keep it to the end of the block."""
        async with self._turns:
            yield Worker(self._executor)

    def close(self) -> None:
        """End the threads after what they are working on."""
        self._executor.shutdown(wait=True, cancel_futures=True)
