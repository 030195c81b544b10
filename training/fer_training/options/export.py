"""`export`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data, add_landmarks, add_run_folder, version

HELP = "write the ONNX file with its card, scored on the test part"
EXAMPLE = "export runs/stage4 --data runs/ferplus.zip --out model.onnx --version 0.3.0"
NOTES = """
Needs `framing --run RUN` and `calibrate RUN` before. The labels of the card are the classes of the data
that the run was trained on. FER+ is scored by the rules `majority` and `probability`.
`fer-gateway analyze --model OUT PICTURE` or `FER_MODEL=OUT fer-gateway serve` uses the file.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_run_folder(parser)
    add_data(parser)
    add_landmarks(parser)
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--half-weights", type=Path, help="also write the weights in half precision here")
    parser.add_argument("--name", default="fer-hybrid", help="name in the card (default: fer-hybrid)")
    parser.add_argument(
        "--notes", default="", help="what the card says of how it came about (default: what the run knows)"
    )
    parser.add_argument(
        "--version", type=version, required=True, help="version in the card, for example `0.3.0`"
    )
