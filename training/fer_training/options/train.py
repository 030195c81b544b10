"""`train`."""

import argparse
from pathlib import Path

from fer_training.options.shared import add_data, add_device, add_kernels, add_landmarks, add_skip_broken

HELP = "train an experiment; the same command resumes it after a kill"
EXAMPLE = "train training/configs/base.toml --data runs/ferplus.zip"
NOTES = """
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
    parser.add_argument("config", type=Path, help="experiment, for example `training/configs/default.toml`")
    add_data(parser)
    add_skip_broken(parser)
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
        "takes their shape, and for other classes the last layer starts at random",
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
