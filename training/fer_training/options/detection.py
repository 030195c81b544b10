"""`detection`."""

import argparse
from pathlib import Path

from fer_training.options.shared import LANDMARKS_CSV, add_json, add_skip_broken, positive

HELP = "count faces found, false alarms and time"
EXAMPLE = "detection --data ferplus.zip"
NOTES = f"""{LANDMARKS_CSV}
`detection` takes faces without a row, too; the file tells which look aside.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument(
        "--data",
        type=Path,
        help="FER+ in the FERPlus layout with a `landmarks.csv` (see below), folder or zip file; without it "
        "the two photos' faces stand in",
    )
    add_skip_broken(parser)
    parser.add_argument(
        "--split", choices=("validation", "test"), default="test", help="part of FER+ (default: test)"
    )
    parser.add_argument("--scenes", type=positive, default=1000, help="pictures to build (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other scenes (default: 0)")
    add_json(parser)
