"""The command line: every command is explained, quickly, with an example that works."""

import argparse
import pkgutil
import shlex
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
