"""`fer-gateway doctor --bench`: a drawn face that the pipeline takes for one, and a row for the table."""

import re
from pathlib import Path

import pytest

from fer_gateway.analyzer import Analyzer
from fer_gateway.cli import main
from fer_gateway.commands.bench import COLUMNS, STAGES, Bench, measure, row
from fer_gateway.commands.device import Device, this_device
from fer_gateway.commands.drawn import draw_frames
from fer_gateway.models import PACKAGED_MODEL
from fer_gateway.settings import Settings, usable_cores


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_the_drawn_face_is_found_aligned_and_only_once() -> None:
    analyzer = Analyzer.open(PACKAGED_MODEL)
    for frame in draw_frames(30)[::5]:
        (face,) = analyzer.analyze(frame).faces
        assert face.quality.aligned


def test_every_stage_is_measured(tiny_model: Path) -> None:
    bench = measure(Settings(model=tiny_model), seconds=0.5)
    assert set(bench.stages_ms) == set(STAGES)
    assert all(duration_ms > 0 for duration_ms in bench.stages_ms.values())
    assert bench.stages_ms["total_ms"] > max(bench.stages_ms[stage] for stage in STAGES[:-1])
    assert 0 < bench.stream_ms <= bench.stream_95_ms
    assert bench.found == 1
    assert bench.model.startswith("tiny 0.0.1")


def test_a_row_has_a_cell_for_each_column() -> None:
    bench = Bench(dict.fromkeys(STAGES, 1.25), 2.0, 9.96, 1.0, "fer-hybrid 0.2.0", "3.14.6, 4.14.0, 1.29.0")
    shown = cells(row(bench, Device("A | B", "Android 16, aarch64", 8)))
    assert len(shown) == len(COLUMNS)
    assert shown[:3] == ["A / B", "Android 16, aarch64", "8"]
    assert shown[-3:] == ["2.0", "10.0", "100%"]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"}, "Raspberry Pi 5 Model B Rev 1.0"),
        ({"proc/cpuinfo": "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"}, "Some CPU @ 2 GHz"),
    ],
)
def test_the_name_of_a_machine(files: dict[str, str], name: str, tmp_path: Path) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    assert this_device(tmp_path).name == name


def test_android_tells_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`getprop` is a command of Android; this one answers as its manual says."""
    answers = "manufacturer) echo Google;; *model) echo 'Pixel 8';; *release) echo 16"
    (tmp_path / "getprop").write_text(f'#!/bin/sh\ncase "$1" in *{answers};; esac\n', "utf-8")
    (tmp_path / "getprop").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    device = this_device()
    assert device.name == "Google Pixel 8"
    assert device.system.startswith("Android 16, ")
    assert device.cores == usable_cores()


@pytest.mark.slow
def test_the_command_prints_a_table(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--bench", "--model", str(tiny_model)]) == 0
    *checks, head, rule, measured = capsys.readouterr().out.splitlines()
    assert all(line.startswith("ok") for line in checks)
    assert cells(head) == list(COLUMNS)
    assert re.fullmatch(r"\|( --- \|)+", rule)
    assert len(cells(measured)) == len(COLUMNS)


def test_a_broken_machine_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--bench", "--model", "/nowhere.onnx"]) == 1
    assert "| device |" not in capsys.readouterr().out
