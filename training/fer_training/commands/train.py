"""`train`: train an experiment, or go on with it."""

import argparse
import sys
from pathlib import Path

import torch

from fer_gateway.inference.landmarks import LandmarkModel
from fer_training.crops.alignment import jittered_frames, serving_frames
from fer_training.data.parts import Split
from fer_training.data.splits import LabelledFaces, load_splits
from fer_training.errors import CheckpointError
from fer_training.learning.config import ExperimentConfig, load_config
from fer_training.learning.devices import device_named
from fer_training.learning.distributed import Processes, processes
from fer_training.learning.run_folder import BEST_WEIGHTS
from fer_training.learning.train import Trainer
from fer_training.network.checkpoint import at_size, load_model
from fer_training.network.model import Hybrid
from fer_training.network.size import count_multiply_adds, count_parameters


def run(arguments: argparse.Namespace) -> None:
    """Train to the last epoch; a run that stands in its folder goes on where it stopped."""
    config = load_config(arguments.config)
    folder = arguments.run or Path("runs") / config.name
    device = device_named(arguments.device)
    with processes(device) as together:
        _train(arguments, config, folder, device, together)


def _train(
    arguments: argparse.Namespace,
    config: ExperimentConfig,
    folder: Path,
    device: torch.device,
    together: Processes,
) -> None:
    splits = load_splits(arguments.data, {"train": config.train_rule, "validation": "majority"})
    start = _matching(load_model(arguments.weights), config, arguments.weights) if arguments.weights else None
    if config.crop != "box-v1":
        splits = _aligned(splits, config, LandmarkModel.open(arguments.landmarks))
    trainer = Trainer(config, folder, device, start, together)
    where = f"going on after epoch {trainer.progress.epochs_done}" if trainer.resume() else "from the start"
    if not together.first:
        trainer.fit(splits["train"], splits["validation"])
        return
    shape = Hybrid(config.model)
    multiply_adds = count_multiply_adds(shape, config.model.image_size)
    print(
        f"{config.name}: {len(splits['train']):,} faces, {count_parameters(shape):,} parameters, "
        f"{multiply_adds / 1e6:.1f} M multiply-adds, on {device}, {where}",
        file=sys.stderr,
    )
    progress = trainer.fit(splits["train"], splits["validation"])
    print(f"epoch {progress.best_epoch} is best: validation accuracy {progress.best_accuracy:.4f}")
    print(f"its weights are in `{folder / BEST_WEIGHTS}`")


def _aligned(
    splits: dict[Split, LabelledFaces], config: ExperimentConfig, landmarks: LandmarkModel
) -> dict[Split, LabelledFaces]:
    train, validation = splits["train"], splits["validation"]
    return {
        "train": train.aligned(
            jittered_frames(train.images, config.crop, landmarks, config.frames, config.seed)
        ),
        "validation": validation.aligned(serving_frames(validation.images, config.crop, landmarks)),
    }


def _matching(model: Hybrid, config: ExperimentConfig, path: Path) -> Hybrid:
    """The model at the experiment's picture size; any other difference is refused."""
    model = at_size(model, config.model.image_size)
    if model.config != config.model:
        raise CheckpointError(
            f"`{path}` holds a model of another shape; set `[model]` of the experiment to {model.config}"
        )
    return model
