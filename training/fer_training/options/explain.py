"""`explain`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data, add_landmarks, add_model, add_split, positive

HELP = "check that explanations mark what the answer rests on"
EXAMPLE = "explain model.onnx --data ferplus.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    add_data(parser)
    add_landmarks(parser)
    add_split(parser)
    parser.add_argument("--faces", type=positive, default=200, help="faces to explain (default: 200)")
    parser.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=Path("-"),
        metavar="PATH",
        help="write one JSON object; `-`, or no path, is standard output",
    )
