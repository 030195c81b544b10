"""`average`."""

import argparse
from pathlib import Path

HELP = "write the mean of the weights of several runs that started from the same weights"
EXAMPLE = "average runs/stage5/last.safetensors runs/taught/last.safetensors --out runs/soup/last.safetensors"

NOTES = """
All must have the same shape, and have been trained on from the same weights: then their mean ("model soup")
answers about as well as all of them together, at the price of one. Copy the folder of one of the runs, write
the mean over its weights, and go on with `calibrate` and `export`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("weights", type=Path, nargs="+", help="`.safetensors` of `train` or `export`")
    parser.add_argument(
        "--shares", type=float, nargs="+", metavar="SHARE", help="weight of each (default: all alike)"
    )
    parser.add_argument("--half", action="store_true", help="write 16 bits a weight, as is committed")
    parser.add_argument("--out", type=Path, required=True, help="the `.safetensors` file to write")
