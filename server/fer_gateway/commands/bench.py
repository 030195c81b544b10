"""`fer-gateway bench`: how fast this machine is; and the row of `doctor --bench` for the table of devices."""

import argparse
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import onnxruntime

from fer_gateway.api.gateway import open_analyzer
from fer_gateway.commands.benchmark.pictures import frames
from fer_gateway.commands.benchmark.process import measure_gateway
from fer_gateway.commands.benchmark.report import Cell, comparison, load, table_of, to_dict
from fer_gateway.commands.benchmark.stages import measure_pipeline, measure_threads
from fer_gateway.commands.device import Device, this_device
from fer_gateway.commands.drawn import WIDTH_PX, draw_frames
from fer_gateway.commands.options import settings_from
from fer_gateway.errors import InvalidSettings
from fer_gateway.settings import Settings, usable_cores
from fer_gateway.vision.opencv import configure_opencv

STAGES = ("decode_ms", "detect_ms", "landmarks_ms", "infer_ms", "total_ms")
SECONDS = 8.0
"""How long the measurement of `doctor --bench` takes."""

BENCH_SECONDS = 30.0
"""How long `bench` takes without `--seconds`, its starts of a gateway aside."""

FULL_WIDTHS_PX = (320, 640, 1280, 1920)
FULL_FACES = (1, 2, 4, 8)
FRAMES = 30

COLUMNS = (
    "device", "system", "cores", "Python, OpenCV, ONNX Runtime", "model",
    "decode", "detect", "landmarks", "infer", "total", "stream", "stream, 95 %", "faces found",
)  # fmt: skip
"""Times are milliseconds of one thread: medians of single pictures, and of the frames of one camera."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured, in milliseconds."""

    stages_ms: Mapping[str, float]
    """Medians of single pictures, by stage."""
    stream_ms: float
    """Median of the frames of a stream, which follows a face instead of finding it again."""
    stream_95_ms: float
    """Their 95th percentile: the frames in which it looks everywhere."""
    found: float
    """Share of the pictures in which the face was found; less than 1 is a finding of its own."""
    model: str
    versions: str


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; 0 whatever comes out."""
    before = load(arguments.compare) if arguments.compare else None
    settings = settings_from(arguments)
    seconds = seconds_from(arguments.seconds)
    print(f"Measuring for about {seconds + 10:.0f} s; let the machine do nothing else ...", file=sys.stderr)
    result = benchmark(settings, seconds, picture=arguments.picture, full=arguments.full)
    text = json.dumps(result)
    if arguments.json == "-":
        print(text)
    else:
        print(table_of(result))
        if arguments.json:
            Path(arguments.json).write_text(text + "\n", encoding="utf-8")
    if before is not None:
        print(comparison(before, result), file=sys.stderr if arguments.json == "-" else sys.stdout)
    return 0


def seconds_from(text: str | None) -> float:
    """What `--seconds` asks for.

    Raises:
        InvalidSettings: no number from 1 to 600.
    """
    try:
        seconds = BENCH_SECONDS if text is None else float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 600:
        raise InvalidSettings(f"`{text}` for `--seconds`: give a number from 1 to 600.")
    return seconds


def benchmark(
    settings: Settings, seconds: float, *, picture: Path | None = None, full: bool = False
) -> dict[str, object]:
    """Everything that `bench` measures, as JSON has it; `full` adds every size and number of faces.

    Half of the time goes to the pipeline, a fifth to threads, the rest to a gateway that is streamed to; each
    place of the matrix takes a tenth of it more. Raises the errors of `Analyzer.open`, and of the picture.
    """
    configure_opencv()
    jpegs = frames(WIDTH_PX, 1, FRAMES, picture)
    served = measure_gateway(settings, jpegs, seconds * 0.3)  # first: nothing of ours is in memory yet
    analyzer = open_analyzer(settings)
    main = Cell(WIDTH_PX, 0 if picture else 1, measure_pipeline(analyzer, jpegs, seconds / 2))
    counts = range(1, usable_cores() + 1)
    rates = {count: measure_threads(analyzer, jpegs, count, seconds / 5 / len(counts)) for count in counts}
    places = (
        [(width, faces) for width in FULL_WIDTHS_PX for faces in ((0,) if picture else FULL_FACES)]
        if full
        else []
    )
    matrix = [
        Cell(width, faces, measure_pipeline(analyzer, frames(width, faces, FRAMES, picture), seconds / 10))
        for width, faces in places
    ]
    model = f"{analyzer.card.name} {analyzer.card.version} {analyzer.card.precision}"
    return to_dict(model, main, served, rates, matrix)


def measure(settings: Settings, seconds: float = SECONDS) -> Bench:
    """Analyse drawn pictures, and follow a drawn face, for `seconds`; one at a time.

    Raises the errors of `Analyzer.open`.
    """
    configure_opencv()
    analyzer = open_analyzer(settings)
    pipeline = measure_pipeline(analyzer, draw_frames(FRAMES), seconds)
    stages = {f"{stage}_ms": samples.p50_ms for stage, samples in pipeline.stages.items()}
    return Bench(
        stages_ms={stage: (stages | {"total_ms": pipeline.cold.p50_ms})[stage] for stage in STAGES},
        stream_ms=pipeline.streaming.p50_ms,
        stream_95_ms=pipeline.streaming.p95_ms,
        found=pipeline.found,
        model=f"{analyzer.card.name} {analyzer.card.version} {analyzer.card.precision}",
        versions=f"{platform.python_version()}, {cv2.__version__}, {onnxruntime.__version__}",
    )


def row(bench: Bench, device: Device) -> str:
    """One line of the table of devices, in Markdown."""
    cells = [
        device.name, device.system, str(device.cores), bench.versions, bench.model,
        *(f"{bench.stages_ms[stage]:.1f}" for stage in STAGES),
        f"{bench.stream_ms:.1f}", f"{bench.stream_95_ms:.1f}", f"{bench.found:.0%}",
    ]  # fmt: skip
    return _line([cell.replace("|", "/") for cell in cells])


def table(settings: Settings) -> str:
    """The head of the table and the row of this machine, to be pasted where devices are listed."""
    head = [_line(list(COLUMNS)), _line(["---"] * len(COLUMNS))]
    return "\n".join([*head, row(measure(settings), this_device())])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
