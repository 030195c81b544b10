"""The crowd of streams: as many frames under way as can be done soon, the next to who waits longest."""

from functools import partial

import anyio
import pytest

from fer_gateway.api.crowd import LEAST_PER_WORKER, PATIENCE_S, Crowd, Share


def crowd_of(workers: int, service_s: float) -> Crowd:
    crowd = Crowd(workers)
    for _ in range(200):
        crowd.served(service_s)
    return crowd


@pytest.mark.parametrize(
    ("workers", "service_s", "limit"),
    [(1, 0.5, 2), (4, 0.5, 8), (1, 0.02, 2), (1, 0.004, 10), (2, 0.004, 20)],
)
def test_the_limit_is_what_can_be_done_soon(workers: int, service_s: float, limit: int) -> None:
    assert crowd_of(workers, service_s).limit == limit


def test_credits_that_take_long_to_become_frames_need_more_of_them() -> None:
    """A camera has a frame every 33 ms: with two credits for all, a fast gateway would idle."""

    async def scenario() -> int:
        crowd = crowd_of(1, 0.01)
        share = Share(crowd)
        for _ in range(20):
            share.note(1, 0)
            await anyio.sleep(0.04)
            share.note(0, 1)
            share.note(0, 0)
        return crowd.limit

    assert anyio.run(scenario) > 4


def test_frames_and_fresh_credits_fill_it_old_credits_do_not() -> None:
    async def scenario() -> None:
        crowd = crowd_of(1, 0.5)
        first, second = Share(crowd), Share(crowd)
        assert crowd.take(2) == 2
        first.note(1, 1)
        assert crowd.take(2) == 0
        second.note(0, 0)
        await anyio.sleep(PATIENCE_S * 1.2)
        assert crowd.take(2) == LEAST_PER_WORKER - 1, "the credit that was not used holds nobody up"
        first.note(0, 0)
        assert crowd.take(2) == 2

    anyio.run(scenario)


def test_who_waits_longest_comes_first_and_before_who_does_not_wait() -> None:
    order: list[int] = []

    async def scenario() -> None:
        crowd = crowd_of(1, 0.5)
        busy = Share(crowd)
        busy.note(0, LEAST_PER_WORKER)

        async def stream(number: int) -> None:
            share = Share(crowd)
            with share.joined():
                await crowd.wait()
                order.append(number)
                share.note(0, 1)
                await anyio.sleep(0.01)

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for number in range(6):
                    group.start_soon(partial(stream, number))
                await anyio.sleep(0.05)
                assert order == []
                assert crowd.take(1) == 0
                busy.note(0, LEAST_PER_WORKER - 1)
                assert crowd.take(1) == 0, "never before a stream that waits"
        assert crowd.take(2) == 1

    anyio.run(scenario)
    assert order == list(range(6))
