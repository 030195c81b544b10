"""`prepare`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data, add_skip_broken

HELP = "drop the faces that leak from one part into another: exact and near twins, by pixels and hashes"
EXAMPLE = "prepare --data ferplus.zip --out runs/ferplus.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the zip file to write: FER+ in the FERPlus layout, class folders below `train/`, `validation/` "
        "and `test/`",
    )
    add_skip_broken(parser)
