"""The command line: `fer-gateway` and what it can do. Data on stdout, messages on stderr."""

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
        epilog="Every option of `serve` can be set by an environment variable too: `--port` is `FER_PORT`, "
        "or in `fer-gateway.toml`: `port = 8000`.",
    )
    parser.add_argument("--version", action="version", version=f"fer-gateway {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="serve the page and the API"))
    _add_analyze(commands.add_parser("analyze", help="tell the emotions in image files"))
    _add_bench(commands.add_parser("bench", help="measure this machine: time, memory, start"))
    _add_model(commands.add_parser("model", help="look at a model"))
    _add_config(commands.add_parser("config", help="the settings that hold, and where each comes from"))
    _add_devices(commands.add_parser("devices", help="pair devices, list and revoke them"))
    _add_doctor(commands.add_parser("doctor", help="check this machine, with a fix for each problem"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (127.0.0.1: this machine only)")
    parser.add_argument("--port", help="TCP port (8000); 0 takes any free one")
    parser.add_argument(
        "--lan", action="store_true", default=None,
        help="serve the local network: HTTPS with a certificate of the gateway's own, and tokens",
    )  # fmt: skip
    parser.add_argument("--lan-name", help="name in the local network, without .local (fer-gateway)")
    parser.add_argument("--trust-port", help="TCP port of the page that gives out the certificate (8001)")
    parser.add_argument("--tls-cert", help="PEM file of a certificate of your own")
    parser.add_argument("--tls-key", help="PEM file of its key")
    parser.add_argument(
        "--require-token", action="store_true", default=None, help="ask this machine for a token too"
    )
    parser.add_argument(
        "--trusted-proxy", dest="trusted_proxies", action="append", metavar="ADDRESS",
        help="a reverse proxy whose `X-Forwarded-For` is believed; may be repeated",
    )  # fmt: skip
    _add_data(parser)
    parser.add_argument("--workers", help="pictures analysed at the same time (processor cores / threads)")
    parser.add_argument("--max-streams", help="cameras served at the same time (8)")
    parser.add_argument("--preset", help="computer, phone or saver: what fits such a machine (computer)")
    parser.add_argument("--max-fps", help="camera frames a second of all cameras together (no cap)")
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
    parser.add_argument(
        "paths", nargs="+", metavar="PATH",
        help="a JPEG, PNG, WebP or video file, a folder, a quoted pattern, or `-` for a picture from stdin",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("table", "jsonl", "csv"), default="table",
        help="for people (table), one JSON object a line (jsonl), or a row for each face (csv)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the same as `--format jsonl`")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there and not to stdout")
    parser.add_argument(
        "--resume", action="store_true",
        help="go on where an earlier run with the same `--out` stopped: what it holds is not done again",
    )  # fmt: skip
    parser.add_argument(
        "--annotate", type=Path, metavar="DIR", help="write copies with the faces drawn in there"
    )
    parser.add_argument("--fps", metavar="N", help="frames of each second of a video (5); 0 is every frame")
    parser.add_argument(
        "--jobs", metavar="N", help="processes that share the work (1); 0 is one for each core"
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local",
        help="where they run: on this machine, or as actors of a Ray cluster (extra `cluster`)",
    )  # fmt: skip
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


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write everything there as JSON; `-` prints it alone")
    parser.add_argument("--full", action="store_true", help="also 320 to 1920 px with 1 to 8 faces")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="a photo to measure on (a drawn face)")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="tell what changed since that JSON")
    parser.add_argument("--seconds", metavar="N", help="how long to measure (30)")
    _add_model_options(parser)


def _add_model(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    inspect = actions.add_parser("inspect", help="print the card of a model")
    inspect.add_argument("path", nargs="?", type=Path, metavar="PATH", help="an ONNX file (the packaged one)")
    inspect.add_argument("--json", action="store_true", help="the card as JSON")
    _add_config_file(inspect)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the settings as JSON")
    _add_serve(parser)


def _add_devices(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    pair = actions.add_parser("pair", help="print a code that a device exchanges for a token")
    add = actions.add_parser("add", help="print a token for a program")
    add.add_argument("name", metavar="NAME", help="what to list it as")
    add.add_argument("--days", type=int, help="days after which the token expires (365)")
    for action in (pair, add):
        action.add_argument(
            "--scope", dest="scopes", action="append", choices=("analyze", "stream", "admin"),
            help="what the token is for (analyze, stream); may be repeated",
        )  # fmt: skip
        action.add_argument("--admin", action="store_true", help="for everything, devices too")
    pair.add_argument("--port", help="TCP port of the gateway (8000)")
    pair.add_argument(
        "--url", metavar="ORIGIN",
        help="where the device finds the gateway, if not as it calls itself: `https://faces.example.org`",
    )  # fmt: skip
    listing = actions.add_parser("list", help="print every device")
    listing.add_argument("--json", action="store_true", help="the devices as JSON")
    revoke = actions.add_parser("revoke", help="make a token worthless")
    revoke.add_argument("id", metavar="ID", help="as `list` prints it")
    for action in (pair, add, listing, revoke):
        _add_data(action)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="FOLDER", help="keys and devices (~/.local/share/fer-gateway)")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the checks as JSON")
    parser.add_argument(
        "--bench", action="store_true", help="also measure this machine for ten seconds, as a row of a table"
    )
    _add_model_options(parser)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="ONNX file with a card (the packaged one)")
    parser.add_argument("--threads", help="threads of one inference (1)")
    parser.add_argument(
        "--provider", dest="providers", action="append", metavar="NAME",
        help="ONNX Runtime execution provider (CPUExecutionProvider); may be repeated",
    )  # fmt: skip
    _add_config_file(parser)


def _add_config_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file with settings (`fer-gateway.toml` here)"
    )
