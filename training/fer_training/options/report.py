"""`report`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_skip_broken

HELP = "show runs of `crossvalidate` or `train` side by side: HTML, PNG, Markdown"
EXAMPLE = "report runs/ckplus-random runs/ckplus-subjects --out runs/report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("run_folders", type=Path, nargs="+", metavar="RUN", help="folders of finished runs")
    parser.add_argument(
        "--out", type=Path, help="folder to write to (default: `report` in the first run's folder)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="CK+ as the runs had it, to show sample faces; such a page must not be published",
    )
    add_skip_broken(parser)
