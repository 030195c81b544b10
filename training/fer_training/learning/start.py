"""What a run starts from: the experiment as the data need it, and the weights of another model."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fer_training.learning.config import ExperimentConfig
from fer_training.learning.origin import read_origin
from fer_training.network.checkpoint import load_model
from fer_training.network.model import Hybrid
from fer_training.network.transfer import transfer


@dataclass(frozen=True, slots=True)
class Start:
    """The experiment with the classes of the data, and its model where weights are given."""

    config: ExperimentConfig
    model: Hybrid | None = None
    fresh: tuple[str, ...] = ()
    """Parameters of the model that are not in the weights."""


def start_from(weights: Path | None, config: ExperimentConfig, classes: tuple[str, ...]) -> Start:
    """An experiment for data of these classes, with these weights.

    An experiment without `[model]` has the shape of the weights. The classifier starts fresh where its rows
    would mean other labels than those of the run that the weights lie in, or FER+'s eight emotions.

    Raises:
        CheckpointError: no readable weights, or they fit less than half of the model.
    """
    if weights is None:
        return Start(config.model_copy(update={"model": replace(config.model, classes=len(classes))}))
    old = load_model(weights)
    shape = config.model if "model" in config.model_fields_set else old.config
    config = config.model_copy(update={"model": replace(shape, classes=len(classes))})
    torch.manual_seed(config.seed)  # the same fresh values in each process
    model, fresh = transfer(old, config.model)
    if classes != read_origin(weights.parent).labels and "classifier.weight" not in fresh:
        model.classifier.reset_parameters()
        fresh += ("classifier.weight", "classifier.bias")
    return Start(config, model, fresh)
