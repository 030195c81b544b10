"""`prepare`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data

HELP = "drop the faces that leak from one part into another"
EXAMPLE = "prepare --data ferplus.zip --out runs/ferplus.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="the zip file to write")
