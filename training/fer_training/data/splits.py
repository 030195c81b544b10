"""The parts of FER+ as training, validation and test faces with labels and targets."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_training.crops.alignment import Frames, whole_frames
from fer_training.data.ferplus import load_ferplus
from fer_training.data.parts import SPLITS, Split
from fer_training.data.twins import drop_twins
from fer_training.data.votes import Rule, keep_by, labels_of, targets_of


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """Images N x 48 x 48 uint8, targets N x 8 (vote shares), labels N (index of the top vote)."""

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    labels: NDArray[np.int64]
    frames: Frames
    """Where to cut each face, N x K x 2 x 3 (see `alignment`); the whole picture unless aligned."""

    def aligned(self, frames: Frames) -> "LabelledFaces":
        """The same faces, to be cut at other frames."""
        return replace(self, frames=frames)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice) -> "LabelledFaces":
        """Some of the rows."""
        return LabelledFaces(self.images[rows], self.targets[rows], self.labels[rows], self.frames[rows])


def load_split(path: Path, split: Split, rule: Rule, *, twins: bool = False) -> LabelledFaces:
    """The faces of one split that a rule keeps; `twins` keeps those that stand in a later split too.

    Raises:
        DataError: see `load_ferplus`.
    """
    return load_splits(path, {split: rule}, twins=twins)[split]


def load_splits(path: Path, rules: dict[Split, Rule], *, twins: bool = False) -> dict[Split, LabelledFaces]:
    """Several splits in one reading of the files; see `load_split`."""
    parts = load_ferplus(path)
    if not twins:
        parts = drop_twins(parts)
    splits: dict[Split, LabelledFaces] = {}
    for split, rule in rules.items():
        faces = parts[SPLITS[split]]
        faces = faces[keep_by(rule, faces.votes)]
        splits[split] = LabelledFaces(
            faces.images, targets_of(faces.votes), labels_of(faces.votes), whole_frames(faces.images)
        )
    return splits
