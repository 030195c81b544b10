"""The parts of a data set, of any layout, as training, validation and test faces with labels and targets."""

from collections.abc import Mapping
from pathlib import Path

from fer_training.data.datasets import open_data
from fer_training.data.labelled import LabelledFaces
from fer_training.data.parts import Split
from fer_training.data.votes import Rule

__all__ = ["LabelledFaces", "load_split", "load_splits"]


def load_split(path: Path, split: Split, rule: Rule, *, twins: bool = False) -> LabelledFaces:
    """The faces of one split that a rule keeps; `twins` keeps those that stand in a later split too.

    Raises:
        DataError: see `open_data`.
    """
    return load_splits(path, {split: rule}, twins=twins)[split]


def load_splits(
    path: Path, rules: Mapping[Split, Rule], *, twins: bool = False
) -> dict[Split, LabelledFaces]:
    """Several splits in one reading of the files; see `load_split`."""
    data = open_data(path)
    return {split: data.split(split, rule, twins=twins) for split, rule in rules.items()}
