"""`robustness`."""

import argparse

from fer_training.options.shared import add_data, add_landmarks, add_model, add_threads, positive

HELP = "measure how accuracy falls on dark, blurred, small ... faces"
EXAMPLE = "robustness model.onnx --data ferplus.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    add_data(parser)
    add_landmarks(parser)
    parser.add_argument(
        "--faces", type=positive, default=600, help="validation faces to spoil in each way (default: 600)"
    )
    add_threads(parser)
