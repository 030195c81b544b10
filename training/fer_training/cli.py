"""The command line: `python -m fer_training COMMAND`. Results go to stdout, progress and errors to stderr.

A command is a name in `COMMANDS`, its options in `fer_training.options` and what it does in
`fer_training.commands`, each in a module of that name. Only the chosen command is imported.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from fer_gateway.errors import GatewayError
from fer_training.errors import TrainingError

COMMANDS = (
    "prepare",
    "train",
    "average",
    "framing",
    "landmarks",
    "proposals",
    "calibrate",
    "export",
    "quantize",
    "card",
    "evaluate",
    "explain",
    "stability",
    "robustness",
    "detection",
    "crossvalidate",
    "report",
)
"""In the order of `--help`."""

RESUMED = ("train", "landmarks", "crossvalidate")
"""Those that go on where they were stopped."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 refused with a message, 130 interrupted."""
    arguments = parser().parse_args(argv)
    try:
        import_module(f"fer_training.commands.{arguments.command}").run(arguments)
    except (TrainingError, GatewayError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder that is not there or not ours
        print(f"error: `{error.filename or 'a file'}`: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        goes_on = "; the same command goes on after the last whole epoch" * (arguments.command in RESUMED)
        print(f"interrupted{goes_on}", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    whole = argparse.ArgumentParser(
        prog="python -m fer_training",
        description="Train, measure and export the emotion model.",
        epilog="A model: `prepare`, `train`, `framing --run`, `calibrate`, `export`. `evaluate` scores it. "
        "`COMMAND --help` tells its options, with an example.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        options = import_module(f"fer_training.options.{name}")
        options.add_arguments(
            commands.add_parser(
                name,
                help=options.HELP,
                description=f"{options.HELP[0].upper()}{options.HELP[1:]}.",
                epilog=_epilog(options.EXAMPLE, getattr(options, "NOTES", "")),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return whole


def _epilog(example: str, notes: str) -> str:
    """What follows the options: where files go, and a command to start from."""
    example = f"example:\n  python -m fer_training {example}"
    return f"{notes.strip()}\n\n{example}" if notes else example
