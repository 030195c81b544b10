"""`framing`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data, positive

HELP = (
    "measure where a training face lies in its Haar box; of own pictures, the packaged one where Haar fails"
)
EXAMPLE = "framing --data runs/ferplus.zip --run runs/stage4"
NOTES = """
Writes `framing.json` into the folder of the run, where one is given.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data(parser)
    parser.add_argument(
        "--faces", type=positive, default=3000, help="training faces to look at (default: 3000)"
    )
    parser.add_argument(
        "--run", dest="run_folder", type=Path, help="also write `framing.json` into this run, for `export`"
    )
