"""`landmarks`."""

import argparse
from pathlib import Path

from fer_training.options.shared import LANDMARKS_CSV, add_device, add_pointed_data, positive, version

HELP = "train, score and write the landmark model; resumes like `train`"
EXAMPLE = "landmarks --data ferplus.zip --out runs/landmarks.onnx"
NOTES = f"""{LANDMARKS_CSV}
`landmarks` leaves out faces without a row. Of the others each weighs as its score and spread say; the trusted
ones choose limits and are scored.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_pointed_data(parser)
    add_device(parser)
    parser.add_argument(
        "--run",
        dest="run_folder",
        type=Path,
        default=Path("runs/landmarks"),
        help="folder of the run (default: `runs/landmarks`)",
    )
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument(
        "--precision",
        choices=("int8", "float16"),
        default="float16",
        help="of its weights; int8 takes half of the time, and is written only if its mean error on the "
        "validation part is at most 2 %% larger (default: float16)",
    )
    parser.add_argument(
        "--trained",
        type=Path,
        metavar="ONNX",
        help="do not train: take this model, which an earlier run wrote with weights of 16 bits",
    )
    parser.add_argument(
        "--version", type=version, help="version in the card (default: 0.1.0, or that of `--trained`)"
    )
    parser.add_argument("--epochs", type=positive, default=60, help="passes over the data (default: 60)")
    parser.add_argument(
        "--faces", type=positive, default=3000, help="training faces that Haar is run on (default: 3000)"
    )
    parser.add_argument(
        "--also",
        type=Path,
        metavar="DATA",
        help="also score on this data set with a `landmarks.csv`, for example CK+ (never trained on)",
    )
