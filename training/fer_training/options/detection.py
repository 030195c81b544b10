"""`detection`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_json, positive

HELP = "count faces found, false alarms and time"
EXAMPLE = "detection --data ferplus.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument(
        "--data", type=Path, help="FER+ with its `landmarks.csv`; without it the two photos' faces stand in"
    )
    parser.add_argument(
        "--split", choices=("validation", "test"), default="test", help="part of FER+ (default: test)"
    )
    parser.add_argument("--scenes", type=positive, default=1000, help="pictures to build (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other scenes (default: 0)")
    add_json(parser)
