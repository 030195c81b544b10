"""`fer-gateway bench`: its numbers, its comparisons, its pictures, and a real gateway that is measured."""

import json
import os
from pathlib import Path

import pytest

from fer_gateway.analyzer import Analyzer
from fer_gateway.cli import main
from fer_gateway.commands.benchmark.pictures import frames
from fer_gateway.commands.benchmark.process import peak_rss_mb
from fer_gateway.commands.benchmark.samples import Samples, change
from fer_gateway.commands.benchmark.stages import measure_pipeline
from fer_gateway.models import PACKAGED_MODEL
from fer_gateway.vision.decode import decode_grey

REQUIRED = ("streaming", "cold", "decode", "detect", "landmarks", "crop", "infer", "track", "serialise")


def test_samples() -> None:
    samples = Samples.of([[float(value) for value in range(1, 51)], [], [float(v) for v in range(51, 101)]])
    assert (samples.p50_ms, samples.mean_ms, samples.count) == (50.5, 50.5, 100)
    assert samples.p95_ms == pytest.approx(95.05)
    assert samples.p99_ms == pytest.approx(99.01)
    assert samples.rounds_ms == (25.5, 75.5)
    assert samples.to_dict()["per_second"] == pytest.approx(1e3 / 50.5, abs=0.01)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([10.0, 10.1, 9.9, 10.0], [10.0, 10.1, 9.9, 10.0], "same"),
        ([10.0, 10.1, 9.9, 10.0], [8.0, 8.1, 7.9, 8.0], "less"),
        ([10.0, 10.1, 9.9, 10.0], [12.0, 12.1, 11.9, 12.0], "more"),
        ([10.0, 10.1, 9.9, 10.0], [10.2, 10.3, 10.1, 10.2], "same"),  # under three hundredths
        ([6.0, 14.0, 8.0, 12.0], [8.0, 7.0, 13.0, 6.0], "same"),  # a noisy machine
        ([10.0, 10.1, 9.9, 10.0, 90.0], [10.0, 10.1, 9.9, 10.0, 10.0], "same"),  # one disturbed round
        ([0.0, 0.0], [0.0, 0.0], "same"),
    ],
)
def test_changes_beyond_the_noise(before: list[float], after: list[float], verdict: str) -> None:
    assert change("time", before, after).verdict == verdict


@pytest.mark.parametrize(("width", "faces"), [(320, 1), (640, 4), (1280, 8)])
def test_as_many_drawn_faces_are_found_as_asked_for(width: int, faces: int) -> None:
    analyzer = Analyzer.open(PACKAGED_MODEL)
    jpegs = frames(width, faces, 10)
    assert len(set(jpegs)) == 10
    for jpeg in jpegs[::4]:
        assert decode_grey(jpeg).shape == (width * 3 // 4, width)
        assert len(analyzer.analyze(jpeg).faces) == faces


def test_a_photo_keeps_its_shape(grace_hopper: Path) -> None:
    assert decode_grey(frames(256, 1, 2, grace_hopper)[0]).shape == (300, 256)


def test_stages_make_up_the_whole(tiny_model: Path) -> None:
    pipeline = measure_pipeline(Analyzer.open(tiny_model), frames(640, 1, 6), seconds=0.2)
    parts = sum(
        pipeline.stages[stage].p50_ms for stage in ("decode", "detect", "landmarks", "crop", "infer", "judge")
    )
    assert (
        0.5 < parts / pipeline.cold.p50_ms < 1.5
    )  # medians of different moments of a machine that may be busy
    assert (pipeline.faces, pipeline.found) == (1, 1)
    assert pipeline.over_bare > 1
    assert len(pipeline.cold.rounds_ms) == len(pipeline.bare.rounds_ms) >= 4


def test_memory_of_a_process(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t  153600 kB\n", "ascii")
    assert peak_rss_mb(7, tmp_path) == 150
    assert peak_rss_mb(8, tmp_path) is None
    if Path("/proc/self/status").exists():
        assert 10 < (peak_rss_mb(os.getpid()) or 0) < 1e5


def test_the_command_measures_compares_and_says_so(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second in this process, and three real gateways."""
    saved = tmp_path / "saved.json"
    assert main(["bench", "--seconds", "1", "--model", str(tiny_model), "--json", str(saved)]) == 0
    shown = capsys.readouterr().out
    assert "streaming over bare" in shown
    result = json.loads(saved.read_text("utf-8"))
    assert all(result[name]["p50_ms"] > 0 for name in REQUIRED)
    assert result["ready_s"] > 0
    assert result["model"].startswith("tiny")
    assert (result["peak_rss_mb"] is None) == (not Path("/proc/self/status").exists())
    assert result["threads"][0]["threads"] == 1
    assert result["gateway"]["p50_ms"] > result["decode"]["p50_ms"]


@pytest.mark.parametrize(
    ("content", "words"),
    [("{}", "no result of `bench`"), ("no JSON", "cannot be read"), (None, "cannot be read")],
)
def test_what_cannot_be_compared_is_refused_before_measuring(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content, "utf-8")
    assert main(["bench", "--compare", str(path)]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "x", "1e9", "nan"])
def test_seconds(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--seconds", seconds]) == 2
    assert "1 to 600" in capsys.readouterr().err


def test_a_picture_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text.jpg"
    path.write_text("no picture", "ascii")
    assert main(["bench", "--picture", str(path)]) == 1
    assert "JPEG" in capsys.readouterr().err
