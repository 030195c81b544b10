"""A data set of any layout, read once: its classes, its parts, and faces with labels of each part."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_training.data.broken import Broken
from fer_training.data.fer2013 import read_fer2013
from fer_training.data.ferplus import read_ferplus
from fer_training.data.foldered import read_folders
from fer_training.data.labelled import LabelledFaces
from fer_training.data.layouts import layout_of
from fer_training.data.parts import Split
from fer_training.data.source import Source
from fer_training.data.voted import VotedData
from fer_training.data.votes import Rule


class DataSet(Protocol):
    """What all data sets have; see `VotedData` and `FolderData`."""

    @property
    def name(self) -> str: ...  # noqa: D102, as the next ones: said by the classes that have them
    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def has_parts(self) -> bool: ...  # noqa: D102
    @property
    def skipped(self) -> int: ...  # noqa: D102
    def split(self, split: Split, rule: Rule, *, twins: bool) -> LabelledFaces: ...  # noqa: D102
    def images(self, split: Split) -> NDArray[np.uint8]: ...  # noqa: D102
    def title(self, split: str, rule: Rule) -> str: ...  # noqa: D102


def open_data(path: Path, *, skip_broken: bool = False) -> DataSet:
    """Read a data set, a folder or a zip file, in any layout of `layouts`.

    Raises:
        DataError: no such data set, an unknown layout, a missing file, a wrong label, or a broken picture
            without leave to skip it.
    """
    with Source.open(path) as source:
        layout, broken = layout_of(source), Broken(path, skip_broken)
        if layout == "ferplus":
            return VotedData(read_ferplus(source, broken), len(broken.names))
        if layout == "fer2013":
            return VotedData(read_fer2013(source, broken), len(broken.names))
        return read_folders(source, broken)
