"""The cap on camera frames: credits are withheld for as long as it takes, shared in turn, never lost."""

import json
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import pytest

from fer_gateway.api.battery import spare_battery
from fer_gateway.api.mailbox import WINDOW, Mailbox
from fer_gateway.api.pace import Pace
from fer_gateway.api.protocol import Frame

from .harness import Running, Start
from .test_stream import granted, read


def test_without_a_cap_every_credit_is_granted() -> None:
    assert [Pace().take(wanted) for wanted in (0, 1, 2)] == [0, 1, 2]


def test_credits_come_in_line_and_no_faster_than_the_cap() -> None:
    order: list[int] = []

    async def scenario() -> float:
        pace = Pace(20)
        started_s = anyio.current_time()
        assert [pace.take(2), pace.take(2), pace.take(2)] == [1, 1, 0], "one at once, one kept from before"

        async def wait(number: int) -> None:
            await pace.wait()
            order.append(number)

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(wait, number)
            await anyio.sleep(0.06)
            assert pace.take(1) == 0, "never before a stream that waits"
        return anyio.current_time() - started_s

    took_s = anyio.run(scenario)
    assert order == list(range(8))
    assert took_s >= 0.39


def test_a_cap_that_is_lifted_lets_the_waiting_go() -> None:
    async def scenario() -> None:
        pace = Pace(0.001)  # 17 minutes a frame
        assert [pace.take(1), pace.take(1), pace.take(1)] == [1, 1, 0]
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(pace.wait)
                await anyio.sleep(0.05)
                pace.max_fps = None

    anyio.run(scenario)


def test_the_first_credits_come_at_once_on_a_machine_that_has_just_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock of the event loop counts from the start of the machine."""
    monkeypatch.setattr(anyio, "current_time", lambda: 5.0)
    pace = Pace(0.001)
    assert [pace.take(1), pace.take(1), pace.take(1)] == [1, 1, 0]


def test_withheld_credits_are_owed_until_they_are_paid() -> None:
    async def scenario() -> None:
        mailbox = Mailbox(lambda _: 0)
        mailbox.put(Frame(1, 0.0, b""))
        mailbox.take()
        assert mailbox.pay_back(answered=1) == 0
        await mailbox.wait_for_debt()
        assert mailbox.pay_withheld() == 1
        assert mailbox.pay_withheld() == 0
        assert mailbox.held == WINDOW
        with anyio.move_on_after(0.01) as scope:
            await mailbox.wait_for_debt()
        assert scope.cancelled_caught

    anyio.run(scenario)


MAX_FPS = 10.0


def stream_for(
    gateway: Running, image: bytes, duration_s: float, *, resets: bool = False
) -> tuple[int, float]:
    """Spend every credit as soon as it comes; how many frames were sent, and in how many seconds."""
    sent = 0
    with granted(gateway) as (socket, window):
        credits_ = window
        started_s = time.monotonic()
        while (passed_s := time.monotonic() - started_s) < duration_s:
            for _ in range(credits_):
                socket.send(Frame(sent, float(sent), image).pack())
                sent += 1
                if resets:
                    socket.send('{"type":"reset"}')
            credits_ = read(socket)["credits"]
            assert 0 <= credits_ <= WINDOW
    return sent, passed_s


@pytest.mark.parametrize("resets", [False, True], ids=["plain", "with resets"])
def test_the_cap_reaches_the_stream(start: Start, gradient_jpg: bytes, resets: bool) -> None:
    gateway = start(max_fps=MAX_FPS)
    sent, passed_s = stream_for(gateway, gradient_jpg, 2.0, resets=resets)
    assert 8 <= sent <= 2 + MAX_FPS * passed_s


def test_no_credit_is_lost_under_a_cap(start: Start, gradient_jpg: bytes) -> None:
    gateway = start(max_fps=50.0)
    sent, answered, withheld = 0, 0, 0
    with granted(gateway) as (socket, window):
        credits_ = window
        while answered < 60 or credits_ < WINDOW:
            while credits_ > 0 and sent < 60:
                socket.send(Frame(sent, float(sent), gradient_jpg).pack())
                credits_, sent = credits_ - 1, sent + 1
            message = read(socket)
            if message["type"] == "grant":
                withheld += 1
            else:
                answered = 1 + message["seq"]
            credits_ += message["credits"]
    assert credits_ == WINDOW
    assert withheld > 0


def test_streams_share_the_cap(start: Start, gradient_jpg: bytes) -> None:
    gateway = start(max_fps=MAX_FPS)
    counts: list[tuple[int, float]] = []

    def run() -> None:
        counts.append(stream_for(gateway, gradient_jpg, 4.0))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [frames for frames, _ in counts]
    assert len(sent) == 2
    assert sum(sent) <= 2 + MAX_FPS * (max(passed_s for _, passed_s in counts) + 1)
    assert min(sent) >= 0.25 * sum(sent), "each its turn"


def test_coming_back_brings_no_frames_for_nothing(start: Start, gradient_jpg: bytes) -> None:
    gateway, sent, began_s = start(max_fps=MAX_FPS), 0, time.monotonic()
    while (passed_s := time.monotonic() - began_s) < 1.5:
        with granted(gateway) as (socket, window):
            for _ in range(window):
                socket.send(Frame(sent, float(sent), gradient_jpg).pack())
                sent += 1
    assert sent <= 2 + MAX_FPS * passed_s


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - what is waited for is a file and a log
            await anyio.sleep(0.02)


def test_the_cap_follows_the_battery(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, "-c", "import sys; print(open(sys.argv[1]).read())", str(told)]

    def tell(percent: int, celsius: float) -> None:
        told.write_text(
            json.dumps({"percentage": percent, "temperature": celsius, "plugged": "UNPLUGGED"}), "utf-8"
        )

    async def scenario() -> None:
        pace = Pace(15)
        tell(80, 30)
        async with anyio.create_task_group() as group:
            group.start_soon(partial(spare_battery, pace, command, every_s=0.05))
            for percent, celsius, max_fps in ((80, 46, 2), (80, 30, 15), (10, 30, 5), (60, 41, 8)):
                tell(percent, celsius)
                await until(lambda max_fps=max_fps: pace.max_fps == max_fps)  # type: ignore[misc]
            told.write_text("ERROR: no app", "utf-8")
            await until(lambda: "not looked after" in caplog.text)
            assert pace.max_fps == 8, "what cannot be told changes nothing"
            group.cancel_scope.cancel()

    anyio.run(scenario)
    assert "at most 2 frames a second" in caplog.text
    assert caplog.text.count("not looked after") == 1
