"""Options of `proposals`."""

import argparse
from pathlib import Path

HELP = "train the network that says where in a picture faces may be"
EXAMPLE = "proposals --data ferplus.zip --out proposals.onnx"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `proposals` takes."""
    parser.add_argument("--data", type=Path, required=True, help="FER+, a folder or zip file")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--steps", type=int, default=3500, help="batches of 32 scenes (default: 3500)")
    parser.add_argument("--version", default="0.1.0", help="of the network, for its card (default: 0.1.0)")
