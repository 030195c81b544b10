"""The results of `fer-gateway bench` as JSON, as a table, and beside those of an earlier run."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import onnxruntime

from fer_gateway import __version__
from fer_gateway.commands.benchmark.process import Served
from fer_gateway.commands.benchmark.samples import Change, change
from fer_gateway.commands.benchmark.stages import Pipeline
from fer_gateway.commands.device import this_device
from fer_gateway.errors import UnreadableFile

FORMAT = "fer.bench/1"


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the matrix: frames of a width with a number of faces."""

    width_px: int
    faces: int
    pipeline: Pipeline


def to_dict(
    model: str,
    main: Cell,
    served: Served,
    per_second: Mapping[int, float],
    matrix: Sequence[Cell] = (),
) -> dict[str, Any]:
    """Everything that was measured, as JSON has it; `per_second` by threads."""
    pipeline = main.pipeline
    return {
        "format": FORMAT,
        "machine": _machine(),
        "model": model,
        "frames": {"width_px": main.width_px, "faces": main.faces, "found": pipeline.faces},
        "cold": pipeline.cold.to_dict(),
        "streaming": pipeline.streaming.to_dict(),
        "bare": pipeline.bare.to_dict(),
        "streaming_over_bare": round(pipeline.over_bare, 3),
        **{stage: samples.to_dict() for stage, samples in pipeline.stages.items()},
        "threads": [
            {"threads": threads, "per_second": round(rate, 2)} for threads, rate in per_second.items()
        ],
        "ready_s": round(served.ready_s, 3),
        "starts_s": [round(start, 3) for start in served.starts_s],
        "peak_rss_mb": None if served.peak_rss_mb is None else round(served.peak_rss_mb, 1),
        "gateway": served.round_trip.to_dict(),
        "matrix": [
            {
                "width_px": cell.width_px,
                "faces": cell.faces,
                "found": cell.pipeline.faces,
                "cold": cell.pipeline.cold.to_dict(),
                "streaming": cell.pipeline.streaming.to_dict(),
                "streaming_over_bare": round(cell.pipeline.over_bare, 3),
            }
            for cell in matrix
        ],
    }


def table_of(result: Mapping[str, Any]) -> str:
    """What people read: times in milliseconds."""
    frames, stages = result["frames"], [name for name in result if _is_samples(result[name])]
    lines = [
        f"{result['machine']['device']}, {result['machine']['versions']}; {result['model']}",
        f"frames of {frames['width_px']} px with {frames['faces'] or 'the faces of a photo'} face(s), "
        f"{frames['found']:g} found; milliseconds of one thread",
        "",
        f"{'':<12}{'p50':>9}{'p95':>9}{'p99':>9}{'mean':>9}{'a second':>11}",
        *(_row(name, result[name]) for name in stages),
        "",
        f"streaming over bare (grey decode and `session.run`): {result['streaming_over_bare']:.2f}",
        *(
            f"{each['threads']} thread(s): {each['per_second']:.0f} frames a second"
            for each in result["threads"]
        ),
        f"gateway process: ready after {result['ready_s']:.2f} s"
        + ("" if result["peak_rss_mb"] is None else f", {result['peak_rss_mb']:.0f} MiB at most"),
    ]
    if result["matrix"]:
        lines += [
            "",
            f"{'width':>6}{'faces':>7}{'found':>7}{'cold p50':>10}{'stream p50':>12}{'over bare':>11}",
        ]
        lines += [
            f"{cell['width_px']:>6}{cell['faces']:>7}{cell['found']:>7g}{cell['cold']['p50_ms']:>10.2f}"
            f"{cell['streaming']['p50_ms']:>12.2f}{cell['streaming_over_bare']:>11.2f}"
            for cell in result["matrix"]
        ]
    return "\n".join(lines)


def load(path: Path) -> dict[str, Any]:
    """A saved result.

    Raises:
        UnreadableFile: it cannot be read, or is no result of this command.
    """
    try:
        saved = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise UnreadableFile(f"`{path}` cannot be read ({exc}); name a file that `--json` wrote.") from exc
    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        raise UnreadableFile(
            f"`{path}` is no result of `bench` (`{FORMAT}`); name a file that `--json` wrote."
        )
    return saved


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every number that both runs have; memory and starts too."""
    found = [
        change(f"{name} ms", before[name]["rounds_ms"], after[name]["rounds_ms"])
        for name in after
        if _is_samples(after[name]) and _is_samples(before.get(name))
    ]
    found.append(change("ready s", before["starts_s"], after["starts_s"]))
    if before.get("peak_rss_mb") and after["peak_rss_mb"]:
        found.append(change("peak MiB", [before["peak_rss_mb"]], [after["peak_rss_mb"]]))
    return found


def comparison(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What has changed beyond the noise since an earlier run, and whether the two may be compared."""
    lines = [
        f"warning: then `{before.get(part)}`, now `{after[part]}`: not the same measurement"
        for part in ("machine", "model", "frames")
        if before.get(part) != after[part]
    ]
    lines += [
        f"{one.name:<14}{one.before:>9.3f} -> {one.after:<9.3f} {_verdict(one)}"
        for one in changes(before, after)
    ]
    return "\n".join(lines)


def _verdict(one: Change) -> str:
    if one.verdict == "same":
        return f"the same (noise {one.noise:.3f})"
    return f"{one.verdict} ({one.after / one.before - 1:+.0%})" if one.before else one.verdict


def _machine() -> dict[str, Any]:
    device = this_device()
    versions = f"Python {platform.python_version()}, OpenCV {cv2.__version__}, ONNX Runtime"
    return {
        "device": device.name,
        "system": device.system,
        "cores": device.cores,
        "versions": f"{versions} {onnxruntime.__version__}, fer-gateway {__version__}",
    }


def _is_samples(value: object) -> bool:
    return isinstance(value, dict) and "rounds_ms" in value


def _row(name: str, samples: Mapping[str, Any]) -> str:
    times = "".join(f"{samples[part]:>9.2f}" for part in ("p50_ms", "p95_ms", "p99_ms", "mean_ms"))
    return f"{name:<12}{times}{samples['per_second'] or 0:>11.0f}"
