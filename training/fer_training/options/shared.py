"""Options that several commands have."""

import argparse
from pathlib import Path

from fer_gateway.models import PACKAGED_LANDMARKS
from fer_training.data.parts import SPLITS
from fer_training.data.votes import RULES


def positive(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from 1 on")
    return number


def add_model(parser: argparse.ArgumentParser) -> None:
    """The ONNX file that a command looks at."""
    parser.add_argument("model", type=Path, help="the ONNX file")


def add_run_folder(parser: argparse.ArgumentParser) -> None:
    """The run that a command goes on with."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a finished run")


def add_data(parser: argparse.ArgumentParser) -> None:
    """The data set."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder or zip file, recognised by what is inside: FERPlus layout; `fer2013.csv` beside "
        "`fer2013new.csv`; CK+48; or class folders `<class>/<picture>`, alone or below `train/`, "
        "`validation/` (`val/`), `test/`",
    )


def add_skip_broken(parser: argparse.ArgumentParser) -> None:
    """Whether broken pictures end a command."""
    parser.add_argument(
        "--skip-broken", action="store_true", help="leave out broken pictures, and say how many they are"
    )


def add_split(parser: argparse.ArgumentParser) -> None:
    """The part of the data set."""
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="test",
        help="part of the data (default: test); of FER+, validation is the public part, test the private",
    )


def add_rule(parser: argparse.ArgumentParser) -> None:
    """Which faces count."""
    parser.add_argument(
        "--rule", choices=RULES, default="majority", help="which voted faces count (default: majority)"
    )


def add_landmarks(parser: argparse.ArgumentParser) -> None:
    """The landmark model."""
    parser.add_argument(
        "--landmarks",
        type=Path,
        default=PACKAGED_LANDMARKS,
        metavar="ONNX",
        help="landmark model that aligns faces (default: the packaged one)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where to compute."""
    parser.add_argument(
        "--device", default="auto", help="`auto` (default), `cpu`, `cuda`, `cuda:1`, `mps` ..."
    )


def add_kernels(parser: argparse.ArgumentParser) -> None:
    """How training steps are computed."""
    parser.add_argument(
        "--kernels",
        choices=("plain", "fused"),
        default="plain",
        help="`fused`: three times as fast on a processor that multiplies in bfloat16 (AMX, AVX512-BF16), "
        "built at the start by a C++ compiler (default: plain)",
    )


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Threads of ONNX Runtime."""
    parser.add_argument("--threads", type=positive, default=1, help="threads of ONNX Runtime (default: 1)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Machine-readable results."""
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="write one JSON object; `-` is standard output"
    )
