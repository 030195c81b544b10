"""The command line: `fer-gateway serve | analyze | model | doctor`. Data on stdout, messages on stderr."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from fer_gateway import __version__
from fer_gateway.errors import GatewayError, InvalidSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments)
    except GatewayError as error:
        print(f"fer-gateway: {error}", file=sys.stderr)
        return 2 if isinstance(error, InvalidSettings) else 1
    except ImportError as error:
        print(f"fer-gateway: {error}; `fer-gateway doctor` looks for what is missing.", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `fer-gateway analyze ... | head`; Python would complain once more when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    # Only now, and only this one: `--help` needs no OpenCV, and `doctor` runs where it is broken.
    command = import_module(f"fer_gateway.commands.{arguments.command}")
    status = int(command.run(arguments))
    sys.stdout.flush()  # so that a closed pipe is noticed here, and not when Python exits
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer-gateway",
        description="Real-time facial emotion recognition at the edge.",
        epilog="Every option of `serve` can be set by an environment variable too: `--port` is `FER_PORT`.",
    )
    parser.add_argument("--version", action="version", version=f"fer-gateway {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="serve the page and the API"))
    _add_analyze(commands.add_parser("analyze", help="tell the emotions in image files"))
    _add_model(commands.add_parser("model", help="look at a model"))
    _add_doctor(commands.add_parser("doctor", help="check this machine, with a fix for each problem"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (127.0.0.1: this machine only)")
    parser.add_argument("--port", help="TCP port (8000); 0 takes any free one")
    parser.add_argument("--workers", help="pictures analysed at the same time (processor cores / threads)")
    parser.add_argument("--max-streams", help="cameras served at the same time (8)")
    parser.add_argument(
        "--allowed-host", dest="allowed_hosts", action="append", metavar="NAME",
        help="a name that browsers reach this gateway by, besides localhost; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--allowed-origin", dest="allowed_origins", action="append", metavar="ORIGIN",
        help="another site whose pages may call the API; may be repeated",
    )  # fmt: skip
    parser.add_argument("--log-level", help="debug, info, warning or error (info)")
    _add_model_options(parser)


def _add_analyze(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a JPEG, PNG or WebP file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    _add_analysis_options(parser)
    _add_model_options(parser)


def _add_analysis_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-faces", dest="ask_max_faces", metavar="N", help="only the largest so many faces (64)"
    )
    parser.add_argument(
        "--min-face", dest="ask_min_face", metavar="SHARE",
        help="side of the smallest face to look for, as a share of the picture's shorter side",
    )  # fmt: skip
    parser.add_argument(
        "--uncertain-below", dest="ask_uncertain_below", metavar="CONFIDENCE",
        help="confidence under which a face is uncertain, 0 to 1 (the model card's)",
    )  # fmt: skip
    parser.add_argument(
        "--landmarks", dest="ask_landmarks", action="store_true", default=None,
        help="eyes, nose and mouth of each face too, in the JSON",
    )  # fmt: skip


def _add_model(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    inspect = actions.add_parser("inspect", help="print the card of a model")
    inspect.add_argument("path", nargs="?", type=Path, metavar="PATH", help="an ONNX file (the packaged one)")
    inspect.add_argument("--json", action="store_true", help="the card as JSON")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the checks as JSON")
    _add_model_options(parser)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="ONNX file with a card (the packaged one)")
    parser.add_argument("--threads", help="threads of one inference (1)")
    parser.add_argument(
        "--provider", dest="providers", action="append", metavar="NAME",
        help="ONNX Runtime execution provider (CPUExecutionProvider); may be repeated",
    )  # fmt: skip
