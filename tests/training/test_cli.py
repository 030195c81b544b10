"""The command line: every command is explained, quickly, with an example that works."""

import argparse
import pkgutil
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

import fer_training.options
from fer_training.cli import COMMANDS, parser


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


def test_help_waits_for_no_heavy_package() -> None:
    """The parser, with the options of all commands, needs none of these."""
    heavy = ("torch", "onnx", "onnxruntime", "cv2", "matplotlib", "tqdm")
    code = f"import sys, fer_training.cli as c; c.parser(); print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
