"""`train`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data, add_device, add_landmarks

HELP = "train an experiment; the same command resumes it after a kill"
EXAMPLE = "train training/configs/base.toml --data runs/ferplus.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("config", type=Path, help="experiment, for example `training/configs/default.toml`")
    add_data(parser)
    parser.add_argument(
        "--run", type=Path, help="folder of the run (default: `runs/` and the experiment's name)"
    )
    add_device(parser)
    add_landmarks(parser)
    parser.add_argument(
        "--weights", type=Path, help="start from these `.safetensors` instead of random weights"
    )
