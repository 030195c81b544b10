"""`stability`."""

import argparse

from fer_training.options.shared import add_data, add_landmarks, add_model, add_split, positive

HELP = "measure what alignment brings when boxes are off and heads tilted"
EXAMPLE = "stability model.onnx --data ferplus.zip --faces 600"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    add_data(parser)
    add_landmarks(parser)
    add_split(parser)
    parser.add_argument("--faces", type=positive, help="how many, evenly spread (default: all)")
