"""Options that several commands have."""

import argparse
from pathlib import Path
from typing import Annotated

from pydantic import TypeAdapter, ValidationError

from fer_gateway.contract import ModelCard
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


def share(text: str) -> float:
    """A number above 0 and below 1.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:  # so that NaN fails
        raise argparse.ArgumentTypeError(f"`{text}` is no number above 0 and below 1")
    return number


def version(text: str) -> str:
    """A version as cards have it.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return _VERSION.validate_python(text)
    except ValidationError as error:
        message = f"`{text}` is no version; expected three numbers, as `0.3.0` or `0.3.0-rc1`"
        raise argparse.ArgumentTypeError(message) from error


_VERSION: TypeAdapter[str] = TypeAdapter(Annotated[str, ModelCard.model_fields["version"]])


def add_model(parser: argparse.ArgumentParser) -> None:
    """The ONNX file that a command looks at."""
    parser.add_argument("model", type=Path, help="the ONNX file")


def add_run_folder(parser: argparse.ArgumentParser) -> None:
    """The run that a command goes on with."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a finished run")


def add_data(parser: argparse.ArgumentParser) -> None:
    """The data set, and whether its broken pictures end a command."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder or zip file, recognised by what is inside: FERPlus layout; `fer2013.csv` beside "
        "`fer2013new.csv`; CK+48; or class folders `<class>/<picture>`, alone or below `train/`, "
        "`validation/` (`val/`), `test/`",
    )
    add_skip_broken(parser)


def add_pointed_data(parser: argparse.ArgumentParser) -> None:
    """FER+ with the landmarks of its faces."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="FER+ in the FERPlus layout with a `landmarks.csv` (see below), folder or zip file",
    )
    add_skip_broken(parser)


def add_skip_broken(parser: argparse.ArgumentParser) -> None:
    """Whether broken pictures end a command."""
    parser.add_argument(
        "--skip-broken", action="store_true", help="leave out broken pictures, and say how many they are"
    )


LANDMARKS_CSV = """
`landmarks.csv` stands at the top of the data, beside `fer2013new.csv`; `prepare` copies it. A row a face:
  image                                      file name, as in the column `Image name` of `fer2013new.csv`
  right_eye_x, right_eye_y, left_eye_x ...   points in pixels of the 48 x 48 picture, pixel centres at whole
                                             numbers: right_eye, left_eye, nose, mouth_right, mouth_left,
                                             the person's own right and left
  score                                      how sure the labelling detector was, 0 to 1: its mean score times
                                             the share of copies (see below) in which it found the face;
                                             from 0.6 on a face counts as trusted
  spread_px                                  mean distance of its answers to copies of the picture (scaled,
                                             mirrored, turned) from their mean
Other columns are passed over. FER+ itself has no such file. Ours holds the mean answers of an established
face detector to such copies; any that gives five points will do.
"""
"""What the commands that need the file say of it."""


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
