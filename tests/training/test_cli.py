"""The command line: every command is explained, quickly, with an example that works."""

import argparse
import dataclasses
import pkgutil
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

import fer_training.options
from fer_training.cli import COMMANDS, main, parser
from fer_training.crops.augment import AugmentConfig
from fer_training.landmarks.data import COLUMNS
from fer_training.learning.config import DistillConfig, ExperimentConfig, load_config
from fer_training.network.model import HybridConfig


def subparser(command: str) -> argparse.ArgumentParser:
    (choices,) = (
        action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    found = choices[command]
    assert isinstance(found, argparse.ArgumentParser)
    return found


def test_options_and_commands_belong_together() -> None:
    modules = {module.name for module in pkgutil.iter_modules(fer_training.options.__path__)}
    assert modules - {"shared"} == set(COMMANDS)
    assert not [name for name in COMMANDS if find_spec(f"fer_training.commands.{name}") is None]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_enough(command: str) -> None:
    """What it does, an example that parses, and a word on every option with its default."""
    options = import_module(f"fer_training.options.{command}")
    assert parser().parse_args(shlex.split(options.EXAMPLE)).command == command
    text = subparser(command).format_help()
    assert f"example:\n  python -m fer_training {options.EXAMPLE}" in text
    for action in subparser(command)._actions:
        assert action.help, f"{command}: {action.dest} is not explained"
        if action.default not in (None, False, argparse.SUPPRESS):
            assert "default" in action.help, f"{command}: {action.dest} does not name its default"


@pytest.mark.parametrize("number", ["0", "-3", "many", "1.5", "٣"])
def test_numbers_of_faces_are_positive(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["framing", "--data", "x", f"--faces={number}"])
    assert "is no whole number from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("evaluate x.onnx --data x --end-to-end 0", "`0` is no whole number from 1 on"),
        ("evaluate x.onnx --data x --end-to-end=-5", "`-5` is no whole number from 1 on"),
        ("quantize x.onnx --data x --faces 0", "`0` is no whole number from 1 on"),
        ("quantize x.onnx --data x --faces=-3", "`-3` is no whole number from 1 on"),
        ("proposals --data x --out y --steps 0", "`0` is no whole number from 1 on"),
        *(
            (f"calibrate x --data x --error={error}", f"`{error}` is no number above 0 and below 1")
            for error in ("5", "-1", "nan", "0", "1", "inf", "few")
        ),
        *(
            (f"{command} --data x --out y --version={version}", f"`{version}` is no version; expected three")
            for command in ("export x", "landmarks", "proposals")
            for version in ("1", "0.1", "v0.1.0", "0.1.0_b", "")
        ),
    ],
)
def test_what_cannot_be_is_refused(command: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(shlex.split(command))
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("version", ["0.3.0", "10.0.12", "0.3.0-rc1", "0.3.0.dev2"])
def test_versions_are_those_of_cards(version: str) -> None:
    command = ["export", "x", "--data", "x", "--out", "y", "--version", version]
    assert parser().parse_args(command).version == version


def test_quantize_without_anything_to_make_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "x.onnx", "--data", "x"]) == 1
    assert "give `--out`, `--compare`, `--card` or `--sensitivity`" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_reads_pictures_can_leave_out_broken_ones(command: str) -> None:
    names = {action.dest for action in subparser(command)._actions}
    assert ("data" in names) == ("skip_broken" in names)


@pytest.mark.parametrize(
    "command",
    [
        "explain MODEL --faces 3",
        "stability MODEL --faces 3",
        "robustness MODEL --faces 3 --card",
        "detection --scenes 1",
    ],
)
def test_broken_pictures_are_left_out_where_asked(
    command: str, tmp_path: Path, tiny_model: Path, ferplus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shutil.copy(tiny_model, tmp_path / "model.onnx")
    data = shutil.copytree(ferplus_folder, tmp_path / "data")
    (data / "FER2013Valid" / "fer0000100.png").write_bytes(b"no picture")
    line = [*command.replace("MODEL", str(model)).split(), "--data", str(data)]
    assert main(line) == 1
    assert "or give `--skip-broken`" in capsys.readouterr().err
    assert main([*line, "--skip-broken"]) == 0
    assert "skipped 1 broken of" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["calibrate", "export --out model.onnx --version 0.1.0"])
def test_a_run_that_is_not_there_is_named(
    command: str, tmp_path: Path, smallest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = [*command.split(), "--data", str(smallest)]
    assert main([*line, str(tmp_path / "nowhere")]) == 1
    assert "nowhere` does not exist; expected the folder of a finished run" in capsys.readouterr().err
    assert main([*line, str(smallest)]) == 1
    assert "` first" in capsys.readouterr().err, "a step that is missing in a folder"


@pytest.mark.parametrize("command", ["landmarks", "proposals", "detection"])
def test_the_landmark_file_is_explained(command: str) -> None:
    text = subparser(command).format_help()
    for word in (
        "image",
        "score",
        "spread_px",
        *COLUMNS,
        "pixel centres at whole",
        "FER+ itself has no such",
    ):
        assert word in text


def test_the_fields_of_an_experiment_are_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with a word, and together the file of all defaults, also with what is off by default."""
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--fields"])
    text, file = capsys.readouterr().out, tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    assert load_config(file) == ExperimentConfig(name="x")
    lines = {line.split(" = ")[0].strip("# "): line for line in text.splitlines() if " = " in line}
    configs = (ExperimentConfig, AugmentConfig, DistillConfig)
    fields = {name for config in configs for name in config.model_fields}
    fields |= {field.name for field in dataclasses.fields(HybridConfig)}
    assert set(lines) == fields - {"model", "augment", "distill"}
    assert all(len(line.rsplit("# ", 1)[1]) > 10 for line in lines.values())
    whole = text.replace("\n# [distill]", "\n[distill]").partition("\n[distill]")
    teachers = whole[2].replace("\n# ", "\n")
    file.write_text(whole[0] + whole[1] + teachers, encoding="utf-8")
    assert load_config(file).distill == DistillConfig(weights=(Path("..."),))


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, smallest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    out = tmp_path / "file" / "out.zip"
    assert main(["prepare", "--data", str(smallest), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: `")
    assert str(tmp_path / "file") in error


@pytest.fixture
def smallest(tmp_path: Path) -> Path:
    """Class folders of four pictures."""
    for number in range(4):
        file = tmp_path / "data" / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((48, 48), 60 * number, np.uint8))
    return tmp_path / "data"


def test_help_waits_for_no_heavy_package() -> None:
    """The parser, with the options of all commands, needs none of these."""
    heavy = ("torch", "onnx", "onnxruntime", "cv2", "matplotlib", "tqdm")
    code = f"import sys, fer_training.cli as c; c.parser(); print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
