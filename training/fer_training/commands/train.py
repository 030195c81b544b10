"""`train`: train an experiment, or go on with it."""

import argparse
import sys
from pathlib import Path

import torch

from fer_gateway.inference.landmarks import LandmarkModel
from fer_training.data.datasets import open_data
from fer_training.data.labelled import fingerprint
from fer_training.data.prepare import is_prepared
from fer_training.learning.config import ExperimentConfig, load_config
from fer_training.learning.distributed import Processes, processes
from fer_training.learning.frames import aligned_faces
from fer_training.learning.origin import Origin
from fer_training.learning.run_folder import BEST_WEIGHTS
from fer_training.learning.start import start_from
from fer_training.learning.train import Trainer
from fer_training.network.model import Hybrid
from fer_training.network.size import count_multiply_adds, count_parameters


def run(arguments: argparse.Namespace) -> None:
    """Train to the last epoch; a run that stands in its folder goes on where it stopped."""
    with processes(arguments.device) as (together, device):
        config = load_config(arguments.config)
        folder = arguments.run or Path("runs") / config.name
        _train(arguments, config, folder, device, together)


def _train(
    arguments: argparse.Namespace,
    config: ExperimentConfig,
    folder: Path,
    device: torch.device,
    together: Processes,
) -> None:
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    train = data.split("train", config.train_rule, twins=False)
    validation = data.split("validation", "majority", twins=False)
    start = start_from(arguments.weights, config, data.classes)
    config = start.config
    weights = arguments.weights.name if arguments.weights else None
    origin = Origin(
        data=data.name,
        labels=data.classes,
        faces=len(train),
        fingerprint=fingerprint(train),
        prepared=is_prepared(arguments.data),
        weights=weights,
        fresh=start.fresh,
    )
    origin.check(folder)
    landmarks = LandmarkModel.open(arguments.landmarks)
    train, validation = aligned_faces(train, validation, config, landmarks, folder=folder, together=together)
    trainer = Trainer(
        config,
        folder,
        device,
        start.model,
        together,
        views=arguments.views,
        kernels=arguments.kernels,
        tensorboard=arguments.tensorboard,
    )
    where = f"going on after epoch {trainer.progress.epochs_done}" if trainer.resume() else "from the start"
    if not together.first:
        trainer.fit(train, validation)
        return
    origin.keep(folder)
    shape = Hybrid(config.model)
    multiply_adds = count_multiply_adds(shape, config.model.image_size)
    print(
        f"{config.name}: {len(train):,} faces, {len(data.classes)} classes, {count_parameters(shape):,} "
        f"parameters, {multiply_adds / 1e6:.1f} M multiply-adds, on {device}, {where}",
        file=sys.stderr,
    )
    if start.fresh:
        print(f"not from `{arguments.weights}`, but random: {', '.join(start.fresh)}", file=sys.stderr)
    progress = trainer.fit(train, validation)
    print(f"epoch {progress.best_epoch} is best: validation accuracy {progress.best_accuracy:.4f}")
    print(f"its weights are in `{folder / BEST_WEIGHTS}`")
