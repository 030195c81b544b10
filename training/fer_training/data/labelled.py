"""Faces with labels and targets, as training and measuring take them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import EMOTIONS
from fer_training.crops.alignment import Frames

Rows = slice | NDArray[np.int64] | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """Images N x S x S uint8, targets N x K (shares, rows sum to 1), labels N (index of the top one)."""

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    labels: NDArray[np.int64]
    frames: Frames
    """Where to cut each face, N x K x 2 x 3 (see `alignment`); the whole picture unless aligned."""
    classes: tuple[str, ...] = EMOTIONS
    """K names."""
    names: tuple[str, ...] = ()
    """N files, where they are known."""
    voted: bool = True
    """Whether targets tell how raters disagreed, and not one label a face."""

    def aligned(self, frames: Frames) -> "LabelledFaces":
        """The same faces, to be cut at other frames."""
        return replace(self, frames=frames)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Rows) -> "LabelledFaces":
        """Some of the rows: a slice, indices or a mask."""
        names = tuple(np.array(self.names, dtype=object)[rows]) if self.names else ()
        return replace(
            self,
            images=self.images[rows],
            targets=self.targets[rows],
            labels=self.labels[rows],
            frames=self.frames[rows],
            names=names,
        )

    def some(self, count: int) -> "LabelledFaces":
        """At most `count` of them, evenly spread."""
        return self[evenly_spread(len(self), count)]


def fingerprint(faces: LabelledFaces) -> str:
    """SHA-256 of pictures and labels, in hexadecimal."""
    return hashlib.sha256(faces.images.tobytes() + faces.labels.tobytes()).hexdigest()


def joined(parts: Sequence[LabelledFaces]) -> LabelledFaces:
    """All faces of several parts that have the same classes."""
    return replace(
        parts[0],
        images=np.concatenate([part.images for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        frames=np.concatenate([part.frames for part in parts]),
        names=tuple(name for part in parts for name in part.names),
    )


def evenly_spread(total: int, count: int) -> NDArray[np.int64]:
    """At most `count` of `total` indices, from the first to the last."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)
