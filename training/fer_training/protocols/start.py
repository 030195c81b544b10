"""What a fold starts from: weights of another model, the rows of its classifier matched by name."""

from pathlib import Path

import torch

from fer_training.data.emotion_names import SYNONYMS
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.origin import read_origin
from fer_training.network.checkpoint import load_model
from fer_training.network.model import Hybrid
from fer_training.network.transfer import transfer

_CLASSIFIER = ("classifier.weight", "classifier.bias")


def started(
    weights: Path, config: ExperimentConfig, classes: tuple[str, ...]
) -> tuple[Hybrid, tuple[str, ...]]:
    """The model of an experiment with these weights, and the names of its parameters that start fresh.

    As `transfer`; and where the old model knows all of the classes, by the names in FER+, their rows of its
    classifier are taken over too: of FER+'s eight all but neutral are CK+'s.

    Raises:
        CheckpointError: no readable weights, or they fit less than half of the model.
    """
    old = load_model(weights)
    torch.manual_seed(config.seed)  # the same fresh values in each process
    model, fresh = transfer(old, config.model)
    labels = read_origin(weights.parent).labels
    places = {_emotion(label): place for place, label in enumerate(labels)}
    rows = [places[_emotion(name)] for name in classes if _emotion(name) in places]
    same = len(labels) == old.config.classes and old.config.fused_dim == config.model.fused_dim
    if not same or len(rows) < len(classes):
        return model, fresh
    with torch.no_grad():
        model.classifier.weight.copy_(old.classifier.weight[rows])
        model.classifier.bias.copy_(old.classifier.bias[rows])
    return model, tuple(name for name in fresh if name not in _CLASSIFIER)


def _emotion(name: str) -> str:
    return SYNONYMS.get(name.strip().lower(), name)
