"""`evaluate`."""

import argparse

from fer_training.options.shared import (
    add_data,
    add_json,
    add_landmarks,
    add_model,
    add_rule,
    add_split,
    add_threads,
)

HELP = "score an ONNX model on a part of FER+"
EXAMPLE = "evaluate model.onnx --data ferplus.zip --split test --rule majority --json -"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    add_data(parser)
    add_landmarks(parser)
    add_split(parser)
    add_rule(parser)
    parser.add_argument(
        "--drop-twins", action="store_true", help="leave out faces that stand in a later part too"
    )
    add_threads(parser)
    add_json(parser)
