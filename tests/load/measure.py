"""What a gateway on one core gives to 1, 4, 16 and 64 cameras, each of which takes all it can: `make load`.

`python -m tests.load.measure --help` says what can be chosen. It ends by itself, and talks to loopback only.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from statistics import mean, median, quantiles

import httpx
from tests.load.clients import Seen, load

from fer_gateway.analyzer import Analyzer
from fer_gateway.commands.drawn import draw_frames
from fer_gateway.live import LiveAnalyzer
from fer_gateway.vision.opencv import configure_opencv

CLIENTS = (1, 4, 16, 64)
CLIP_FRAMES = 60
WARM_UP_S = 2.0
START_WITHIN_S = 120.0

MAX_AGE_MS = 150.0
LEAST_OF_BENCH = 0.9
LEAST_OF_MEAN = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One number of clients."""

    clients: int
    frames_a_second: float
    of_bench: float
    """Share of what the analysis alone reaches for so many cameras, on the same core."""
    age_p50_ms: float
    worst_age_p95_ms: float
    """From the credit's arrival to the result's: the 95th percentile of the client that is worst off."""
    slowest_of_mean: float
    """Results of the slowest client, as a share of the mean."""

    @property
    def faults(self) -> list[str]:
        """Which targets are missed."""
        checks = {
            f"age over {MAX_AGE_MS:g} ms": self.worst_age_p95_ms > MAX_AGE_MS,
            f"under {LEAST_OF_BENCH:.0%} of the analysis alone": self.of_bench < LEAST_OF_BENCH,
            f"slowest under {LEAST_OF_MEAN:.0%} of the mean": self.slowest_of_mean < LEAST_OF_MEAN,
        }
        return [text for text, is_missed in checks.items() if is_missed]


def row_of(seen: Sequence[Seen], since_s: float, seconds: float, bench: float) -> Row:
    """What clients saw from `since_s` on, for so many `seconds`, beside `bench` frames a second."""
    ages_s = [
        [age_s for at_s, age_s in zip(one.arrived_s, one.ages_s, strict=True) if at_s >= since_s]
        for one in seen
    ]
    counts = [len(ages) for ages in ages_s]
    worst_s = max(quantiles(ages, n=20)[-1] if len(ages) > 1 else float("inf") for ages in ages_s)
    return Row(
        clients=len(seen),
        frames_a_second=sum(counts) / seconds,
        of_bench=sum(counts) / seconds / bench,
        age_p50_ms=1e3 * median(age_s for ages in ages_s for age_s in ages),
        worst_age_p95_ms=1e3 * worst_s,
        slowest_of_mean=min(counts) / mean(counts),
    )


def bench(clip: Sequence[bytes], streams: int, seconds: float) -> float:
    """Frames a second of the analysis alone: so many cameras in turn, in this thread."""
    configure_opencv()
    analyzer = Analyzer.open()
    cameras = [LiveAnalyzer(analyzer) for _ in range(streams)]
    for camera in cameras:
        camera.analyze(clip[0], time.monotonic() * 1e3)
    started_s, done = time.monotonic(), 0
    while (now_s := time.monotonic()) - started_s < seconds:
        cameras[done % streams].analyze(clip[int(now_s * 30) % len(clip)], now_s * 1e3)
        done += 1
    return done / (now_s - started_s)


@contextmanager
def gateway_on(core: int | None) -> Iterator[str]:
    """A gateway with one worker and room for the most clients; the address of its streams."""
    room = {"FER_MAX_STREAMS": str(max(CLIENTS)), "FER_MAX_STREAMS_PER_CLIENT": str(max(CLIENTS))}
    command = [sys.executable, "-m", "fer_gateway", "serve", "--port", "0", "--workers", "1"]
    with subprocess.Popen(
        command,
        env=os.environ | room,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(keep_to, core),  # noqa: PLW1509
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            deadline = time.monotonic() + START_WITHIN_S
            while httpx.get(f"{address}/api/v1/ready").status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield f"{address.replace('http', 'ws')}/api/v1/stream"
        finally:
            process.terminate()


def keep_to(core: int | None) -> None:
    """Let this process run on one core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def bench_on(core: int | None, streams: int, seconds: float) -> float:
    """`bench` in a process on a core."""
    command = [sys.executable, "-m", "tests.load.measure", "--bench", str(streams), "--seconds", str(seconds)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(keep_to, core),  # noqa: PLW1509
    ) as process:
        return float(process.communicate()[0])


def measure(counts: Sequence[int], seconds: float, gateway_core: int | None) -> Iterator[Row]:
    """A row for each number of clients."""
    clip = draw_frames(CLIP_FRAMES)
    for count in counts:
        alone = bench_on(gateway_core, count, max(2.0, seconds / 2))
        with gateway_on(gateway_core) as url:
            clips = [clip[number % CLIP_FRAMES :] + clip[: number % CLIP_FRAMES] for number in range(count)]
            seen = asyncio.run(load(url, clips, WARM_UP_S + seconds))
        first_s = min(one.arrived_s[0] for one in seen)
        yield row_of(seen, first_s + WARM_UP_S, seconds, alone)


def main() -> int:
    """Measure, print the table, and say what is missed; the exit status is 1 then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=list(CLIENTS))
    parser.add_argument("--seconds", type=float, default=8.0, help="of each number of clients")
    parser.add_argument("--gateway-core", type=int, help="processor core for the gateway")
    parser.add_argument("--load-core", type=int, help="processor core for the clients")
    parser.add_argument("--bench", type=int, metavar="STREAMS", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.bench:
        print(bench(draw_frames(CLIP_FRAMES), arguments.bench, arguments.seconds))
        return 0
    keep_to(arguments.load_core)
    rows = []
    print(
        "| clients | frames a second | of analysis alone | age p50 | age p95, worst client | slowest / mean |"
    )
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for row in measure(arguments.clients, arguments.seconds, arguments.gateway_core):
        rows.append(row)
        print(
            f"| {row.clients} | {row.frames_a_second:.0f} | {row.of_bench:.0%} | {row.age_p50_ms:.0f} ms "
            f"| {row.worst_age_p95_ms:.0f} ms | {row.slowest_of_mean:.2f} |",
            flush=True,
        )
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows]))
    faults = [f"{row.clients} clients: {fault}" for row in rows for fault in row.faults]
    print("\n".join(faults) or "all targets are met")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
