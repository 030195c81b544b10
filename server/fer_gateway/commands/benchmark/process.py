"""A gateway in a process of its own: how soon it is ready, how much memory it takes, how fast it answers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from fer_gateway.api.protocol import SUBPROTOCOL, Frame
from fer_gateway.commands.benchmark.samples import Samples
from fer_gateway.errors import CannotListen
from fer_gateway.settings import Settings

READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 15.0
_ANSWER_WITHIN_S = 30.0
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Served:
    """What was measured on gateways that were started for it."""

    starts_s: tuple[float, ...]
    """From the start of the process to its `ready`, several starts."""
    peak_rss_mb: float | None
    """Most memory that the last one held while streamed to, MiB; none where the system does not tell."""
    round_trip: Samples
    """From sending a frame to its result, over a WebSocket on this machine, one frame under way."""

    @property
    def ready_s(self) -> float:
        """Median of `starts_s`."""
        return median(self.starts_s)


def measure_gateway(settings: Settings, frames: Sequence[bytes], seconds: float, starts: int = 3) -> Served:
    """Start a gateway some times, stream to the last one for so long, and end it.

    Raises:
        CannotListen: it does not become ready.
    """
    times = []
    for number in range(starts):
        with _gateway(settings) as (process, port, ready_s):
            times.append(ready_s)
            if number == starts - 1:
                rounds = _streamed(port, frames, seconds)
                peak = peak_rss_mb(process.pid)
    return Served(tuple(times), peak, Samples.of(rounds))


def peak_rss_mb(pid: int, root: Path = Path("/proc")) -> float | None:
    """Most resident memory that a process has had, MiB; none where there is no `/proc`."""
    try:
        text = (root / str(pid) / "status").read_text("ascii", "replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else None


@contextmanager
def _gateway(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """A gateway, ended with the block: the process, its port, and seconds until it was ready."""
    command = [
        sys.executable, "-m", "fer_gateway", "serve", "--host", "127.0.0.1", "--port", "0",
        "--threads", str(settings.threads),
        *(("--model", str(settings.model)) if settings.model else ()),
        *(word for name in settings.providers for word in ("--provider", name)),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FER_")}
    started_s = perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own program, with settings that were checked
        command, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        port = _port_of(process)
        _wait_until_ready(port, started_s)
        yield process, port, perf_counter() - started_s
    finally:
        process.terminate()
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None  # noqa: S101 - it was opened with a pipe
    greeting = process.stdout.readline()
    found = re.search(r":(\d+)$", greeting.strip())
    if not found:
        raise CannotListen("The gateway to measure does not start; `fer-gateway serve` tells why.")
    return int(found[1])


def _wait_until_ready(port: int, started_s: float) -> None:
    while perf_counter() - started_s < READY_WITHIN_S:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/v1/ready")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        sleep(_POLL_S)
    raise CannotListen(f"The gateway to measure is not ready after {READY_WITHIN_S:g} s.")


def _streamed(port: int, frames: Sequence[bytes], seconds: float) -> list[list[float]]:
    """Milliseconds from frame to result, by tenths of the time."""
    rounds: list[list[float]] = [[] for _ in range(10)]
    with connect(
        f"ws://127.0.0.1:{port}/api/v1/stream",
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression=None,
    ) as stream:
        stream.send(json.dumps({"type": "hello", "options": {}}))
        _receive(stream, "ready")
        started_s, number = perf_counter(), 0
        while (passed_s := perf_counter() - started_s) < seconds or number < 20:
            sent_s = perf_counter()
            stream.send(Frame(number, sent_s * 1e3, frames[number % len(frames)]).pack())
            _receive(stream, "result")
            rounds[min(int(10 * passed_s / seconds), 9)].append((perf_counter() - sent_s) * 1e3)
            number += 1
    return rounds


def _receive(stream: ClientConnection, kind: str) -> None:
    """Wait for the next message of this kind."""
    while True:
        message = json.loads(stream.recv(timeout=_ANSWER_WITHIN_S))
        if message["type"] == kind:
            return
        if message["type"] == "error":
            raise CannotListen(f"The gateway to measure answers `{message['problem']['title']}`.")
