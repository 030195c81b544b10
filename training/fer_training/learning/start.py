"""What a run starts from: the experiment as the data need it, and the weights of another model."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fer_training.data.emotion_names import place_of
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.origin import read_origin
from fer_training.network.checkpoint import load_model
from fer_training.network.model import Hybrid
from fer_training.network.transfer import transfer

_CLASSIFIER = ("classifier.weight", "classifier.bias")


@dataclass(frozen=True, slots=True)
class Start:
    """The experiment with the classes of the data, and its model where weights are given."""

    config: ExperimentConfig
    model: Hybrid | None = None
    fresh: tuple[str, ...] = ()
    """Parameters of the model that are not in the weights; `classifier[a]` is the classifier's row of `a`."""


def start_from(weights: Path | None, config: ExperimentConfig, classes: tuple[str, ...]) -> Start:
    """An experiment for data of these classes, with these weights.

    An experiment without `[model]` has the shape of the weights. The classifier takes over the rows of the
    classes that the old model knows, by their name or their emotion's: its labels are those of the run that
    the weights lie in, or FER+'s eight emotions. The other rows start fresh.

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
    labels = read_origin(weights.parent).labels
    fresh = tuple(name for name in fresh if name not in _CLASSIFIER)
    return Start(config, model, fresh + _take_over_rows(model, old, labels, classes))


@torch.no_grad()
def _take_over_rows(
    model: Hybrid, old: Hybrid, labels: tuple[str, ...], classes: tuple[str, ...]
) -> tuple[str, ...]:
    """Give each class the row of the old model's classifier for it; the names of what starts fresh."""
    model.classifier.reset_parameters()
    fits = len(labels) == old.config.classes and old.config.fused_dim == model.config.fused_dim
    unknown = []
    for row, name in enumerate(classes):
        place = place_of(name, labels) if fits else None
        if place is None:
            unknown.append(name)
            continue
        model.classifier.weight[row] = old.classifier.weight[place]
        model.classifier.bias[row] = old.classifier.bias[place]
    if len(unknown) == len(classes):
        return _CLASSIFIER
    return tuple(f"classifier[{name}]" for name in unknown)
