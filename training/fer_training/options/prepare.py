"""`prepare`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data

HELP = "drop the faces that leak from one part into another: exact and near twins, by pixels and hashes"
EXAMPLE = "prepare --data ferplus.zip --out runs/ferplus.zip"
NOTES = """
A training face goes that the public (validation) or private (test) part holds too, and a validation face
that the test part holds; the test part stays whole. Exact twins have the same pixels; near twins are other
cuts, mirror images or copies of the same photo, found by a perceptual hash and checked by correlation.
`prepared.json` in the zip file counts them; a second `prepare` finds nothing. FER+ takes a minute or two.

FER+ from either of its layouts becomes the FERPlus layout. Class folders without parts get `train/`,
`validation/` and `test/`: a tenth of each class is held out for either, whole people where files are named
as those of CK+.
"""


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
