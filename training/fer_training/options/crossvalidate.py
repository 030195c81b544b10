"""`crossvalidate`."""

import argparse
from pathlib import Path
from typing import get_args

from fer_training.options.shared import add_device, add_kernels, add_landmarks, add_skip_broken, positive
from fer_training.protocols.splits import Protocol

HELP = "train and test on CK+ by a protocol, with a report; resumes after a kill"
EXAMPLE = (
    "crossvalidate training/configs/ckplus.toml --data ckdatas.zip --protocol subjects "
    "--run runs/ckplus-subjects --jobs 2"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("config", type=Path, help="experiment, for example `training/configs/ckplus.toml`")
    parser.add_argument(
        "--data", type=Path, required=True, help="CK+ in the Kaggle layout (`CK+48/...`), folder or zip file"
    )
    add_skip_broken(parser)
    parser.add_argument(
        "--protocol",
        choices=get_args(Protocol),
        required=True,
        help="80/20 splits of images (`random`), folds of images (`folds`; both leak), or folds of people "
        "(`subjects`)",
    )
    parser.add_argument(
        "--count", type=positive, help="seeds of `random` (default: 5) or folds of the others (default: 10)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other folds (default: 0)")
    parser.add_argument(
        "--weights", type=Path, help="start from these `.safetensors` instead of random weights"
    )
    parser.add_argument(
        "--fusion",
        choices=("learned", "half", "mobilenet", "vit", "vit-patches"),
        help="instead of the experiment's: learned a, a = 0.5, MobileNetV2 alone, the transformer alone on "
        "features (`vit`) or on image patches (`vit-patches`)",
    )
    parser.add_argument(
        "--token-stride",
        type=int,
        choices=(8, 16),
        help="instead of the experiment's: tokens from the feature map of this stride",
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--jobs", type=positive, default=1, help="folds side by side, a thread each (default: 1)"
    )
    parser.add_argument("--keep-weights", action="store_true", help="keep the last weights of each fold")
    add_device(parser)
    add_kernels(parser)
    add_landmarks(parser)
