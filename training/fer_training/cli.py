"""The command line: `python -m fer_training COMMAND`. Results go to stdout, progress and errors to stderr."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from fer_gateway.errors import GatewayError
from fer_gateway.models import PACKAGED_LANDMARKS
from fer_training.data.splits import SPLITS
from fer_training.data.votes import RULES
from fer_training.errors import TrainingError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 refused with a message, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        import_module(f"fer_training.commands.{arguments.command}").run(arguments)
    except (TrainingError, GatewayError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on after the last whole epoch", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fer_training",
        description="Train, measure and export the emotion model.",
        epilog="A model: `prepare`, `train`, `framing --run`, `calibrate`, `export`. `evaluate` scores it.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_prepare(commands.add_parser("prepare", help="drop the faces that leak from one part into another"))
    _add_train(
        commands.add_parser("train", help="train an experiment; the same command resumes it after a kill")
    )
    _add_framing(commands.add_parser("framing", help="measure where a training face lies in its Haar box"))
    _add_landmarks_command(
        commands.add_parser(
            "landmarks", help="train, score and write the landmark model; resumes like `train`"
        )
    )
    _add_calibrate(commands.add_parser("calibrate", help="fit temperature and doubt on the validation part"))
    _add_export(
        commands.add_parser("export", help="write the ONNX file with its card, scored on the test part")
    )
    _add_evaluate(commands.add_parser("evaluate", help="score an ONNX model on a part of FER+"))
    _add_explain(commands.add_parser("explain", help="check that explanations mark what the answer rests on"))
    _add_stability(
        commands.add_parser(
            "stability", help="measure what alignment brings when boxes are off and heads tilted"
        )
    )
    _add_robustness(
        commands.add_parser("robustness", help="measure how accuracy falls on dark, blurred, small ... faces")
    )
    _add_detection(commands.add_parser("detection", help="count faces found, false alarms and time"))
    return parser


def _add_prepare(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="the zip file to write")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="experiment, for example `training/configs/default.toml`")
    _add_data(parser)
    parser.add_argument(
        "--run", type=Path, help="folder of the run (default: `runs/` and the experiment's name)"
    )
    _add_device(parser)
    _add_landmarks(parser)
    parser.add_argument(
        "--weights", type=Path, help="start from these `.safetensors` instead of random weights"
    )


def _add_landmarks_command(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    _add_device(parser)
    parser.add_argument(
        "--run",
        dest="run_folder",
        type=Path,
        default=Path("runs/landmarks"),
        help="folder of the run (default: `runs/landmarks`)",
    )
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--version", default="0.1.0", help="version in the card (default: 0.1.0)")
    parser.add_argument("--epochs", type=int, default=60, help="passes over the data (default: 60)")
    parser.add_argument(
        "--faces", type=int, default=3000, help="training faces that Haar is run on (default: 3000)"
    )
    parser.add_argument(
        "--also",
        type=Path,
        metavar="DATA",
        help="also score on this data set with a `landmarks.csv`, for example CK+ (never trained on)",
    )


def _add_framing(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--faces", type=int, default=3000, help="training faces to look at (default: 3000)")
    parser.add_argument(
        "--run", dest="run_folder", type=Path, help="also write `framing.json` into this run, for `export`"
    )


def _add_calibrate(parser: argparse.ArgumentParser) -> None:
    _add_run_folder(parser)
    _add_data(parser)
    _add_landmarks(parser)
    _add_rule(parser)
    parser.add_argument(
        "--error",
        type=float,
        default=0.10,
        help="share of wrong answers allowed among those not called uncertain (default: 0.10)",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_run_folder(parser)
    _add_data(parser)
    _add_landmarks(parser)
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--half-weights", type=Path, help="also write the weights in half precision here")
    parser.add_argument("--name", default="fer-hybrid", help="name in the card (default: fer-hybrid)")
    parser.add_argument("--version", required=True, help="version in the card, for example `0.1.0`")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="the ONNX file")
    _add_data(parser)
    _add_landmarks(parser)
    _add_split(parser)
    _add_rule(parser)
    parser.add_argument(
        "--drop-twins", action="store_true", help="leave out faces that stand in a later part too"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of ONNX Runtime (default: 1)")
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="write one JSON object; `-` is standard output"
    )


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="the ONNX file")
    _add_data(parser)
    _add_landmarks(parser)
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="part of FER+ (default: test, its private part)"
    )
    parser.add_argument("--faces", type=int, default=200, help="faces to explain (default: 200)")
    parser.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=Path("-"),
        metavar="PATH",
        help="write one JSON object; `-`, or no path, is standard output",
    )


def _add_stability(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="the ONNX file")
    _add_data(parser)
    _add_landmarks(parser)
    _add_split(parser)
    parser.add_argument("--faces", type=int, help="how many, evenly spread (default: all)")


def _add_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="test",
        help="validation is FER+'s public part, test (default) its private",
    )


def _add_robustness(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="the ONNX file")
    _add_data(parser)
    _add_landmarks(parser)
    parser.add_argument(
        "--faces", type=int, default=600, help="validation faces to spoil in each way (default: 600)"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of ONNX Runtime (default: 1)")


def _add_detection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, help="FER+ with its `landmarks.csv`; without it the two photos' faces stand in"
    )
    parser.add_argument(
        "--split", choices=("validation", "test"), default="test", help="part of FER+ (default: test)"
    )
    parser.add_argument("--scenes", type=int, default=1000, help="pictures to build (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other scenes (default: 0)")
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="write one JSON object; `-` is standard output"
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="FER+ in the FERPlus layout, folder or zip file"
    )


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", help="`auto` (default), `cpu`, `cuda`, `cuda:1`, `mps` ..."
    )


def _add_landmarks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--landmarks",
        type=Path,
        default=PACKAGED_LANDMARKS,
        metavar="ONNX",
        help="landmark model that aligns faces (default: the packaged one)",
    )


def _add_run_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a finished run")


def _add_rule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rule", choices=RULES, default="majority", help="which faces count (default: majority)"
    )
