"""The pipeline in this process: its stages, single pictures and a stream, beside the least it must do."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.protocol import Frame, encode, result_message
from fer_gateway.commands.benchmark.samples import Samples
from fer_gateway.faces import Analysis
from fer_gateway.live import LiveAnalyzer
from fer_gateway.tracking.smoother import Smoother
from fer_gateway.tracking.tracker import Observation, Tracker
from fer_gateway.vision.geometry import Box

STEP_MS = 1000 / 30
"""From one frame of a stream to the next, on its own clock: however fast they are analysed."""

STAGES = ("decode", "detect", "landmarks", "crop", "infer", "judge")
LEAST_ROUNDS = 4
_BLOCK = 12
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What was measured on the same frames in turns, so that noise falls on all alike."""

    cold: Samples
    """Single pictures, from JPEG to faces."""
    streaming: Samples
    """Frames of a stream, from JPEG to faces; every frame is classified."""
    bare: Samples
    """The least: the grey decode of the same frame, and the classifier's `session.run` alone."""
    stages: Mapping[str, Samples]
    """Stages of a single picture; `follow` is finding faces in a stream, `track` ids and smoothing."""
    faces: float
    """Median number of faces found in a single picture."""
    found: float
    """Share of the single pictures in which exactly one was found."""

    @property
    def over_bare(self) -> float:
        """How many times the least a frame of a stream takes: the median of the rounds' ratios."""
        pairs = zip(self.streaming.rounds_ms, self.bare.rounds_ms, strict=True)
        return median(streamed / least for streamed, least in pairs)


def measure_pipeline(analyzer: Analyzer, frames: Sequence[bytes], seconds: float) -> Pipeline:
    """Analyse frames for about so long, one at a time."""
    cold: list[list[Analysis]] = []
    streamed: list[list[Analysis]] = []
    bare: list[list[float]] = []
    extra: dict[str, list[list[float]]] = {"track": [], "serialise": []}
    live, number = LiveAnalyzer(analyzer), 0
    for frame in frames[:_WARM_UP]:
        analyzer.analyze(frame)
        live.analyze(frame, number * STEP_MS)
    started_s = perf_counter()
    while perf_counter() - started_s < seconds or len(cold) < LEAST_ROUNDS:
        numbers = range(number, number + _BLOCK)
        pick = [frames[each % len(frames)] for each in numbers]
        streamed.append(
            [live.analyze(frame, (each + 1) * STEP_MS) for each, frame in zip(numbers, pick, strict=True)]
        )
        bare.append([_bare_ms(analyzer, frame, len(streamed[-1][-1].faces)) for frame in pick])
        cold.append([analyzer.analyze(frame) for frame in pick[: _BLOCK // 2]])
        extra["serialise"].append([_timed(partial(_serialised, one)) for one in streamed[-1]])
        extra["track"].append(_track_ms(streamed[-1]))
        number += _BLOCK
    laps = {stage: _laps(cold, f"{stage}_ms") for stage in STAGES}
    laps["follow"] = [
        [sum(one.timing.get(part, 0.0) for part in ("detect_ms", "landmarks_ms")) for one in each]
        for each in streamed
    ]
    counts = [len(one.faces) for each in cold for one in each]
    return Pipeline(
        cold=Samples.of(_laps(cold, "total_ms")),
        streaming=Samples.of(_laps(streamed, "total_ms")),
        bare=Samples.of(bare),
        stages={stage: Samples.of(times) for stage, times in (laps | extra).items()},
        faces=median(counts),
        found=counts.count(1) / len(counts),
    )


def measure_threads(analyzer: Analyzer, frames: Sequence[bytes], threads: int, seconds: float) -> float:
    """Frames a second that so many threads analyse together, each a stream of its own."""
    ends_s = perf_counter() + seconds

    def follow(_: int) -> int:
        live, done = LiveAnalyzer(analyzer), 0
        while perf_counter() < ends_s:
            live.analyze(frames[done % len(frames)], done * STEP_MS)
            done += 1
        return done

    started_s = perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(follow, range(threads)))
    return done / (perf_counter() - started_s)


def _bare_ms(analyzer: Analyzer, frame: bytes, faces: int) -> float:
    size_px = analyzer.card.face.size_px
    crops = np.full((max(faces, 1), size_px, size_px, 1), 128, np.uint8)

    def least() -> None:
        analyzer.decode(frame)
        analyzer.model.run_bare(crops)

    return _timed(least)


def _serialised(analysis: Analysis) -> str:
    return encode(result_message(Frame(1, 0.0, b""), analysis, dropped=0, credits_=1))


def _track_ms(analyses: Sequence[Analysis]) -> list[float]:
    """Ids and smoothing alone, on the faces of frames that follow each other."""
    tracker, smoother = Tracker(), Smoother()
    times = []
    for number, analysis in enumerate(analyses):
        observations = [
            Observation(_in_pixels(face.box, analysis.width, analysis.height)) for face in analysis.faces
        ]
        rows = [np.array(face.probabilities) for face in analysis.faces]
        now_ms = number * STEP_MS

        def track(
            seen: list[Observation] = observations, rows: list[np.ndarray] = rows, now_ms: float = now_ms
        ) -> None:
            for id_, index in tracker.update(seen, now_ms).items():
                smoother.smooth(id_, rows[index], now_ms)

        times.append(_timed(track))
    return times


def _in_pixels(box: Box, width: int, height: int) -> Box:
    return replace(
        box, x=box.x * width, y=box.y * height, width=box.width * width, height=box.height * height
    )


def _laps(rounds: Sequence[Sequence[Analysis]], lap: str) -> list[list[float]]:
    return [[one.timing.get(lap, 0.0) for one in each] for each in rounds]


def _timed(call: Callable[[], object]) -> float:
    started_s = perf_counter()
    call()
    return (perf_counter() - started_s) * 1e3
