"""The parts of a data set by their names: what the command line says, and what FER+ says."""

from collections.abc import Mapping
from typing import Literal

Split = Literal["train", "validation", "test"]
SPLITS: Mapping[Split, str] = {"train": "train", "validation": "public", "test": "private"}
"""The names of `load_ferplus` for each split."""
