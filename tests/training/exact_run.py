"""Training in float64, to be started by `torchrun`: rounding in float32 hides whether two runs are the same.

Already the order of the faces in a batch changes the loss of an untrained network by 1e-5 to 1e-4 in float32:
fifty batch normalisations in a row enlarge what addition rounds off. All parts are those of `train`; only the
weights, and what is computed with them, have twice the digits.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from fer_training.data.datasets import open_data
from fer_training.learning.config import load_config
from fer_training.learning.distributed import processes
from fer_training.learning.train import Trainer
from fer_training.network.model import Hybrid


def run(config_file: Path, data_path: Path, folder: Path) -> None:
    """`train CONFIG --data DATA --run-folder FOLDER`."""
    with processes("cpu") as (together, device):
        config = load_config(config_file)
        torch.manual_seed(config.seed)
        start = Hybrid(config.model).double()
        start.register_forward_pre_hook(_widen)
        data = open_data(data_path)
        train, validation = (data.split(part, "majority", twins=True) for part in ("train", "validation"))
        Trainer(config, folder, device, start, together).fit(train, validation)


def _widen(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(tensor.double() for tensor in inputs)


if __name__ == "__main__":
    run(*map(Path, sys.argv[1:]))
