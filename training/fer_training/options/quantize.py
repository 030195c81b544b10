"""`quantize`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data, add_landmarks, add_model, positive
from fer_training.release.layer_kinds import IN_FLOAT, KINDS

HELP = "write a model in int8 or with weights of 16 bits, if it still answers like its float32"
EXAMPLE = "quantize model.onnx --data runs/ferplus.zip --out model-int8.onnx --compare"

NOTES = """
The model named must be in float32. `--out` appears only if, on the validation part, it loses at most 0.5
points of accuracy, keeps at least 98 % of the labels, moves probabilities by at most 0.005 in the mean and
0.25 anywhere, and answers each face alike in any batch. Ranges come from faces of the training part.
Times are ratios to float32 on one thread, taken in turns; a busy machine shows in them all the same.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    add_data(parser)
    add_landmarks(parser)
    parser.add_argument("--out", type=Path, help="the ONNX file to write; without it nothing is written")
    parser.add_argument(
        "--precision", choices=("int8", "float16"), default="int8", help="of `--out` (default: int8)"
    )
    parser.add_argument(
        "--faces", type=positive, default=500, help="training faces that ranges are taken from (default: 500)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed takes others (default: 0)")
    parser.add_argument(
        "--float",
        nargs="*",
        dest="in_float",
        choices=KINDS,
        default=IN_FLOAT,
        metavar="LAYERS",
        help=f"layers that int8 leaves alone, of {', '.join(KINDS)} (default: {' '.join(IN_FLOAT)})",
    )
    parser.add_argument(
        "--compare", action="store_true", help="print a table of float32, float16 and int8 beside each other"
    )
    parser.add_argument(
        "--card", action="store_true", help="put that table into the card of MODEL, for `card` to show"
    )
    parser.add_argument(
        "--sensitivity",
        action="store_true",
        help="print what int8 costs with all layers, and with each kind left in float; a few minutes",
    )
