"""`train`."""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from fer_training.options.shared import add_data, add_device, add_kernels, add_landmarks

HELP = "train an experiment; the same command resumes it after a kill"
EXAMPLE = "train training/configs/stage1.toml --data runs/ferplus.zip"
NOTES = """
experiment: a TOML file as those in `training/configs`; `train --fields` prints all that can stand in it. The
shipped model is `stage1.toml` to `stage6.toml`, each from the weights before (the README has all commands):
  python -m fer_training train training/configs/stage2.toml --data runs/ferplus.zip \\
    --weights runs/stage1/last.safetensors

files, in the folder of the run:
  best.safetensors, last.safetensors  weights of the best epoch on the validation part, and of the last
  experiment.json, origin.json        what was trained; on which data and labels, from which weights
  history.jsonl, checkpoint.pt        a line an epoch; what the same command needs to go on after a kill
  frames.npz                          where faces are cut, if the experiment aligns them

own pictures: class folders of two classes or more, whose names become the labels; one face a picture, cut
about as tightly as FER+ cuts it. Fine-tune the shipped weights, then `framing --run`, `calibrate`, `export`:
  python -m fer_training train training/configs/own.toml --data MY_FOLDER \\
    --weights training/weights/default.safetensors
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("config", type=Path, help="experiment, for example `training/configs/stage1.toml`")
    parser.add_argument(
        "--fields", action=_Fields, help="print the fields of an experiment with their defaults, as TOML"
    )
    add_data(parser)
    parser.add_argument(
        "--run",
        "--run-folder",
        dest="run",
        type=Path,
        help="folder of the run (default: `runs/` and the experiment's name); below `torchrun`, which takes "
        "`--run` for an option of its own, write `--run-folder`",
    )
    add_device(parser)
    add_kernels(parser)
    add_landmarks(parser)
    parser.add_argument(
        "--weights",
        type=Path,
        help="start from these `.safetensors` instead of random weights; an experiment without `[model]` "
        "takes their shape; the last layer starts at random for classes that they do not know by name",
    )
    parser.add_argument(
        "--views",
        choices=("auto", "device", "host"),
        default="auto",
        help="where random views of faces are made: on the accelerator (`device`), the processor (`host`), "
        "or `auto` (default): on the accelerator if there is one",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="also write loss, accuracies, rate and a for TensorBoard into the folder of the run",
    )


class _Fields(argparse.Action):
    """Print them and leave, as `--help` does."""

    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:  # noqa: A002, argparse's name
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(import_module("fer_training.learning.fields").as_toml(), end="")
        parser.exit()
