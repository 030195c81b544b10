"""`proposals`."""

import argparse
from pathlib import Path

from fer_training.options.shared import LANDMARKS_CSV, add_pointed_data, positive, version

HELP = "train the network that says where in a picture faces may be"
EXAMPLE = "proposals --data ferplus.zip --out proposals.onnx"
NOTES = f"""{LANDMARKS_CSV}
`proposals` trains on every face, with a row or without; the file must be there.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `proposals` takes."""
    add_pointed_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--steps", type=positive, default=3500, help="batches of 32 scenes (default: 3500)")
    parser.add_argument(
        "--version", type=version, default="0.1.0", help="of the network, for its card (default: 0.1.0)"
    )
