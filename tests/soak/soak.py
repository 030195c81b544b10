"""Run a real gateway under eight streams for minutes or hours, and see whether anything leaks or breaks.

`python -m tests.soak.soak --minutes 10` (`make soak`); the exit status is 1 where something does.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import httpx
import matplotlib as mpl
import onnx
import skimage

from fer_gateway.contract import CARD_KEY
from fer_gateway.models import PACKAGED_MODEL

from .clients import Clients, moving_faces

STREAMS = 8
WARM_UP_SHARE = 0.2
"""Of the time, before memory is first looked at."""
SWAPS = 40
"""Models that replace each other in the whole time, at most one in `SWAP_S`."""
SWAP_S = 4.0
SAMPLE_S = 1.0
QUIET_WITHIN_S = 60.0
MEMORY_GROWTH = 0.05
PHOTOS = (
    Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg",
    Path(skimage.__file__).parent / "data" / "astronaut.png",
)


NATIVE_WARNINGS = (
    "Corrupt JPEG data",
    "Premature end of JPEG file",
    "libpng ",
    "Unsupported marker type",
    "Invalid SOS",
)
"""What libraries print about damaged pictures that they can decode all the same."""

Models = tuple[Path, Path]
Samples = list[tuple[float, float]]
"""When, in seconds, and the memory then, in MiB."""


@dataclass(frozen=True)
class Held:
    """What a gateway without clients holds."""

    threads: int
    files: int
    """Open files and sockets."""
    tasks: int
    streams: int
    pictures: int
    stuck: int


@dataclass(frozen=True)
class Soaked:
    """A gateway process with a model that may be replaced, and its log."""

    process: subprocess.Popen[str]
    port: int
    model: Path
    log: Path

    def memory_mib(self) -> float:
        return self._status("VmRSS") / 1024

    def held(self) -> Held:
        text = self._metrics()
        files = len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))
        names = ("fer_tasks", "fer_streams", "fer_pictures_waiting", "fer_workers_stuck")
        tasks, *rest = (int(float(_first(rf"^{name} (\S+)$", text))) for name in names)
        return Held(self._status("Threads"), files, tasks, *rest)

    def swap(self, models: Models, turn: int) -> None:
        """Put another model in the place of the served one, and have it opened."""
        beside = self.model.with_suffix(".new")
        shutil.copy(models[turn % 2], beside)
        beside.rename(self.model)
        self.process.send_signal(signal.SIGHUP)

    def swapped(self) -> int:
        """Models that were opened in the place of another."""
        found = re.search(r'^fer_model_swaps_total{outcome="swapped"} (\S+)$', self._metrics(), re.MULTILINE)
        return 0 if found is None else int(float(found[1]))

    def complaints(self) -> list[str]:
        """Lines of the log that nobody should find there; bad requests are none."""
        lines = self.log.read_text("utf-8").splitlines()
        lines = [line for line in lines if not line.startswith(NATIVE_WARNINGS)]
        return [line for line in lines if not line.startswith("{") or json.loads(line)["level"] != "info"]

    def _metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=60).text

    def _status(self, name: str) -> int:
        return int(_first(rf"^{name}:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text("utf-8")))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    assert found is not None, pattern
    return found[1]


@contextmanager
def soaked(folder: Path, model: Path) -> Iterator[Soaked]:
    """Start a gateway with a copy of `model`."""
    served, log = folder / "served.onnx", folder / "log"
    shutil.copy(model, served)
    environment = os.environ | {
        "FER_MODEL": str(served),
        "FER_PORT": "0",
        "FER_LOG_FORMAT": "json",
        # A busy machine lets go of a stream later than the next one comes, whose client would have to wait.
        "FER_MAX_STREAMS": str(2 * STREAMS),
    }
    command = [sys.executable, "-m", "fer_gateway", "serve", "--workers", "2"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rsplit(":", 1)[1])
            yield Soaked(process, port, served, log)
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()


def with_version(model: Path, version: str, path: Path) -> Path:
    """The same model under another version, as a file."""
    proto = onnx.load(model)
    for entry in proto.metadata_props:
        if entry.key == CARD_KEY:
            entry.value = json.dumps(json.loads(entry.value) | {"version": version})
    onnx.save(proto, path)
    return path


async def watch(
    gateway: Soaked, samples: list[tuple[float, float]], models: tuple[Path, Path], swap_s: float
) -> None:
    """Note memory, and swap models, until cancelled."""
    swapped_s, turn = time.monotonic(), 0
    while True:
        samples.append((time.monotonic(), gateway.memory_mib()))
        if time.monotonic() - swapped_s > swap_s:
            swapped_s, turn = time.monotonic(), turn + 1
            gateway.swap(models, turn)
        await asyncio.sleep(SAMPLE_S)


async def quiet(gateway: Soaked, expected: Held | None) -> Held:
    """What is held once every client has left; looks again for a while where that is more than `expected`."""
    until_s = time.monotonic() + QUIET_WITHIN_S
    while True:
        await asyncio.sleep(2)
        held = gateway.held()
        at_rest = held.streams == held.pictures == 0
        if (at_rest and (expected is None or not more(expected, held))) or time.monotonic() > until_s:
            return held


async def at_rest_mib(gateway: Soaked, models: Models) -> float:
    """Memory without clients, right after a swap, which gives back what is free."""
    swapped = gateway.swapped()
    gateway.swap(models, swapped + 1)
    until_s = time.monotonic() + QUIET_WITHIN_S
    while True:
        await asyncio.sleep(2 * SAMPLE_S)
        if gateway.swapped() > swapped or time.monotonic() > until_s:
            return gateway.memory_mib()


def medians(samples: Samples, from_s: float, to_s: float, windows: int) -> list[float]:
    """The median memory in each of so many equal parts of a time, in MiB."""
    length_s = (to_s - from_s) / windows
    starts = [from_s + number * length_s for number in range(windows)]
    return [
        statistics.median(mib for at_s, mib in samples if start < at_s <= start + length_s)
        for start in starts
    ]


def more(before: Held, after: Held) -> list[str]:
    """What there is more of."""
    pairs = ((field.name, getattr(before, field.name), getattr(after, field.name)) for field in fields(Held))
    return [f"{name}: {now} instead of {then}" for name, then, now in pairs if now > then]


async def soak(seconds: float, growth: float, folder: Path) -> list[str]:
    """Soak; prints what it saw and returns what was wrong."""
    models = (
        with_version(PACKAGED_MODEL, "0.0.1", folder / "a.onnx"),
        with_version(PACKAGED_MODEL, "0.0.2", folder / "b.onnx"),
    )
    samples: Samples = []
    with soaked(folder, models[0]) as gateway:
        clients = Clients(gateway.port, moving_faces(PHOTOS), seed=1)
        watching = asyncio.create_task(watch(gateway, samples, models, max(SWAP_S, seconds / SWAPS)))
        await clients.run(STREAMS, seconds * WARM_UP_SHARE)
        before = await quiet(gateway, None)
        rested_mib = [await at_rest_mib(gateway, models)]
        warm_s = time.monotonic()
        await clients.run(STREAMS, seconds * (1 - WARM_UP_SHARE))
        over_s = time.monotonic()
        after = await quiet(gateway, before)
        watching.cancel()
        rested_mib.append(await at_rest_mib(gateway, models))
        swapped = gateway.swapped()
        complaints = gateway.complaints()
    tenths = medians(samples, warm_s, over_s, 10)
    first, last = (medians(samples, warm_s, over_s, 4)[place] for place in (0, -1))
    print(f"{seconds / 60:.1f} minutes, {STREAMS} streams")
    for what, count in sorted(clients.counts.items()):
        print(f"  {what}: {count}")
    print(f"  models swapped: {swapped}")
    print(
        f"  memory, in tenths of the time after the warm-up: {' '.join(f'{mib:.0f}' for mib in tenths)} MiB"
    )
    pairs = {"under load": (first, last), "at rest": (rested_mib[0], rested_mib[1])}
    for when, (then, now) in pairs.items():
        print(
            f"  memory {when}: {then:.1f} MiB after the warm-up, {now:.1f} at the end ({now / then - 1:+.1%})"
        )
    print(f"  at rest, before: {before}\n  at rest, after:  {after}")
    wrong = [*clients.faults, *complaints, *more(before, after)]
    wrong += [
        f"memory {when} grew by {now / then - 1:.1%}, more than {growth:.0%}"
        for when, (then, now) in pairs.items()
        if now > then * (1 + growth)
    ]
    if not clients.counts["results with faces"]:
        wrong.append("no face was ever found")
    return wrong


def main() -> int:
    """Read the command line and soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    parser.add_argument(
        "--growth", type=float, default=MEMORY_GROWTH, help="memory may grow by (%(default)s)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = asyncio.run(soak(arguments.minutes * 60, arguments.growth, Path(folder)))
    for fault in wrong[:20]:
        print(f"WRONG {fault}")
    print(f"{len(wrong)} faults" if wrong else "nothing leaked, nothing broke")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
