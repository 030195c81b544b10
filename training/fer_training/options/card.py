"""`card`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_model

HELP = "write the page of a model, with all that its card tells, for people"
EXAMPLE = "card server/fer_gateway/models/default.onnx --out training/MODEL_CARD.md"

NOTES = """
What was never measured is called so. `evaluate --card`, `robustness --card` and `quantize --card` measure.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model(parser)
    parser.add_argument("--out", type=Path, help="the Markdown file to write (default: standard output)")
