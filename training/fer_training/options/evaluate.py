"""`evaluate`."""

import argparse
import sys

from fer_training.data.parts import EVERYTHING, SPLITS
from fer_training.options.shared import (
    add_data,
    add_json,
    add_landmarks,
    add_model,
    add_rule,
    add_threads,
    positive,
)

HELP = "score an ONNX model on a part of a data set, on the classes that both have"
EXAMPLE = "evaluate model.onnx --data ferplus.zip --split test --rule majority --json -"
NOTES = """
Classes are matched by name or by synonym (`happy` is `happiness`, `angry` is `anger` ...). Where the model
has labels that the data lack, probabilities are renormalised over the shared ones, and the scores over all
labels stand beside. Also said: how many scored faces the training part holds too, the scores without them,
and where file names tell people (as those of CK+), how many are in training, marked LEAKY if any.

The JSON object has at least `n`, `accuracy`, `macro_f1`, `ece` and `per_class` (recall by class); intervals
are 95 %, by bootstrap over faces.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    add_data(parser)
    add_landmarks(parser)
    parser.add_argument(
        "--split",
        choices=(*SPLITS, EVERYTHING),
        default="test",
        help="part of the data (default: test); of FER+, validation is the public part, test the private. "
        "Where the data have no parts, test is the tenth that `train` holds out, or every face if the "
        "model's labels are not the data's classes, so that it cannot have been trained on them",
    )
    add_rule(parser)
    parser.add_argument(
        "--drop-twins", action="store_true", help="leave out faces that stand in a later part too"
    )
    parser.add_argument(
        "--twins",
        choices=("exact", "near"),
        default="exact",
        help="which scored faces count as known from the training part: the same pixels (default: exact), or "
        "also near twins by perceptual hash, which takes half a minute on FER+",
    )
    parser.add_argument(
        "--flip",
        action="store_true",
        help="also score the mean of the answers to a face and its mirror image",
    )
    parser.add_argument(
        "--end-to-end",
        type=positive,
        nargs="?",
        const=sys.maxsize,
        metavar="FACES",
        help="also put the faces (or so many, evenly spread) into pictures of 640 x 480, 80 to 240 px wide, "
        "as JPEG of quality 80, and score from picture to label, no face found counting as wrong; needs "
        "`fer-gateway[train]` for the pictures, and about 4 minutes for the 3,153 of FER+",
    )
    parser.add_argument(
        "--card", action="store_true", help="put the scores into the model's card, in place of earlier ones"
    )
    add_threads(parser)
    add_json(parser)
