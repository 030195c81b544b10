"""`calibrate`."""

import argparse

from fer_training.options.shared import add_data, add_landmarks, add_rule, add_run_folder, share

HELP = "fit temperature and doubt on the validation part"
EXAMPLE = "calibrate runs/stage4 --data runs/ferplus.zip"
NOTES = """
Writes `calibration.json` into the folder of the run, for `export`, which takes the same weights.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_run_folder(parser)
    add_data(parser)
    add_landmarks(parser)
    add_rule(parser)
    parser.add_argument(
        "--weights",
        choices=("best", "last"),
        default="best",
        help="of the epoch with the best validation accuracy, or of the last one, which is better where the "
        "cross-entropy printed here is less (default: best)",
    )
    parser.add_argument(
        "--error",
        type=share,
        default=0.10,
        help="share of wrong answers allowed among those not called uncertain, above 0 and below 1 "
        "(default: 0.10)",
    )
