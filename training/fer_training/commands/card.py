"""`card`: the page of a model, in Markdown."""

import argparse

from fer_training.release.model_card import render_card


def run(arguments: argparse.Namespace) -> None:
    """Write it, or print it without `--out`."""
    page = render_card(arguments.model)
    if arguments.out is None:
        print(page, end="")
    else:
        arguments.out.write_text(page, encoding="utf-8")
