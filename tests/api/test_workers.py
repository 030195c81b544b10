"""Threads for pixels: never more than allowed, first come first served, safe to cancel."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest

from fer_gateway.api.workers import Workers
from fer_gateway.errors import AnalysisTimeout, WorkersStuck


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    pool = Workers(count)
    try:
        yield pool
    finally:
        pool.close()


class Meter:
    """How many threads are inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def work(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.01)
        with self._lock:
            self._now -= 1


def test_no_more_threads_than_allowed_even_when_clients_leave() -> None:
    meter = Meter()

    async def client(pool: Workers, patience_s: float) -> None:
        with anyio.move_on_after(patience_s):
            async with pool.turn() as worker:
                await worker.run(meter.work)

    async def scenario(pool: Workers) -> None:
        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(client, pool, 0.005 * (number % 5) + 0.001)
        with anyio.fail_after(5):  # no turn was lost
            for _ in range(4):
                async with pool.turn() as worker:
                    await worker.run(meter.work)

    with workers(2) as pool:
        anyio.run(scenario, pool)
    assert 1 <= meter.most <= 2


def test_turns_go_round() -> None:
    """Three clients that always want the next turn get one each in turn."""
    order: list[int] = []

    async def client(pool: Workers, number: int) -> None:
        for _ in range(5):
            async with pool.turn() as worker:
                await worker.run(order.append, number)

    async def scenario(pool: Workers) -> None:
        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(client, pool, number)

    with workers(1) as pool:
        anyio.run(scenario, pool)
    assert order == [0, 1, 2] * 5


def test_errors_come_out_as_they_are() -> None:
    async def scenario(pool: Workers) -> None:
        async with pool.turn() as worker:
            await worker.run(int, "x")

    with workers(1) as pool, pytest.raises(ValueError, match="invalid literal"):
        anyio.run(scenario, pool)


def test_one_that_hangs_is_given_up_and_replaced() -> None:
    """Its place goes to the next in line, and it counts until it comes back."""
    gate = threading.Event()

    async def hang(pool: Workers) -> None:
        async with pool.turn() as worker:
            with pytest.raises(AnalysisTimeout):
                await worker.run(gate.wait)

    async def scenario() -> None:
        pool = Workers(1, time_limit_s=0.1)
        with anyio.fail_after(30):
            await hang(pool)
            assert pool.stuck == 1
            async with pool.turn() as worker:
                assert await worker.run(int, "7") == 7
            gate.set()
            await all_back(pool)
        pool.close()

    anyio.run(scenario)


def test_too_many_that_hang_are_told_once() -> None:
    """Turns are refused then, until threads come back."""
    gate = threading.Event()
    told: list[int] = []

    async def hang(pool: Workers) -> None:
        async with pool.turn() as worker:
            with pytest.raises(AnalysisTimeout):
                await worker.run(gate.wait)

    async def scenario() -> None:
        pool = Workers(2, time_limit_s=0.1, on_stuck=lambda: told.append(1))
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(hang, pool)
            assert told == [1]
            with pytest.raises(WorkersStuck, match="`2` analyses hang"):
                await hang(pool)
            gate.set()
            await all_back(pool)
            async with pool.turn() as worker:
                assert await worker.run(int, "7") == 7
        pool.close()

    anyio.run(scenario)
    assert told == [1]


async def all_back(pool: Workers) -> None:
    for _ in range(3000):
        if not pool.stuck:
            return
        await anyio.sleep(0.01)
    pytest.fail("they did not come back")
