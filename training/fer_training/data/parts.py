"""The parts of a data set by their names: what the command line says, what FER+ says, what folders say."""

from collections.abc import Mapping
from typing import Literal

Split = Literal["train", "validation", "test"]
SPLITS: Mapping[Split, str] = {"train": "train", "validation": "public", "test": "private"}
"""The names of `load_ferplus` for each split."""

FOLDER_PARTS: Mapping[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Folders above class folders, in lower case."""

EVERYTHING: Literal["all"] = "all"
"""Every face of a data set, for scoring."""
