"""`robustness`."""

import argparse

from fer_training.options.shared import add_data, add_landmarks, add_model, add_threads, positive

HELP = "measure how accuracy falls on dark, blurred, small ... faces"
EXAMPLE = "robustness model.onnx --data ferplus.zip"

DEFAULT_FACES = 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    add_data(parser)
    add_landmarks(parser)
    parser.add_argument(
        "--faces",
        type=positive,
        help=f"how many, spoilt in each way (default: {DEFAULT_FACES} of validation; `--card`: all)",
    )
    parser.add_argument(
        "--card",
        action="store_true",
        help="spoil faces of the test part instead, in fewer ways, and put the summary into the model's card",
    )
    add_threads(parser)
