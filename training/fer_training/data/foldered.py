"""Class folders as a data set: their own parts, or parts held out by a fixed rule; one label a face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_training.crops.alignment import whole_frames
from fer_training.data.broken import Broken
from fer_training.data.ckplus import is_ckplus_name, mark_of
from fer_training.data.class_folders import ClassFolders, native_side_px, pictures_in, read_class_folders
from fer_training.data.held_out import Indices, hold_out
from fer_training.data.labelled import LabelledFaces
from fer_training.data.parts import FOLDER_PARTS, Split
from fer_training.data.source import Source
from fer_training.data.twins import without_twins
from fer_training.data.votes import Rule
from fer_training.errors import DataError


@dataclass(frozen=True, slots=True)
class FolderData:
    """Faces in class folders, and which of them belong to which part."""

    name: str
    faces: ClassFolders
    rows: Mapping[Split, Indices]
    has_parts: bool
    """Whether the test part is a folder of the data, and not held out by `hold_out`."""
    skipped: int = 0
    """Broken pictures that were left out."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the class folders, sorted."""
        return self.faces.classes

    def split(self, split: Split, rule: Rule, *, twins: bool) -> LabelledFaces:
        """The faces of a part; with one label each, no rule leaves any out."""
        del rule
        kept = self.rows.get(split, np.empty(0, np.int64))
        if not twins:
            parts = {part: self.images(part) for part in self.rows}
            kept = kept[without_twins(parts)[split]] if split in parts else kept
        if not len(kept):
            raise DataError(f"`{self.name}` holds no faces for {split}; it has {_said(self.rows)}")
        images, labels = self.faces.images[kept], self.faces.labels[kept]
        targets = np.eye(len(self.classes), dtype=np.float32)[labels]
        names = tuple(self.faces.names[index] for index in kept)
        return LabelledFaces(images, targets, labels, whole_frames(images), self.classes, names, voted=False)

    def images(self, split: Split) -> NDArray[np.uint8]:
        """All faces of a part, N x S x S; none where it has no such part."""
        return self.faces.images[self.rows.get(split, np.empty(0, np.int64))]

    def title(self, split: str, rule: Rule) -> str:
        """The name of a set of faces in a card, for example `ckdatas test`."""
        del rule
        return f"{self.name} {split}"


def read_folders(source: Source, broken: Broken) -> FolderData:
    """Read class folders, with or without `train/`, `validation/` and `test/` above them.

    Of parts that have no folder, a tenth of the training faces is held out, see `hold_out`; whole people
    where all files are named as those of CK+. Pictures are read at their usual size, 48 to 112 px.

    Raises:
        DataError: see `load_class_folders`; or some pictures stand in the folder of a part and some do not.
    """
    names = pictures_in(source)
    own = {name: part for name in names if (part := _part_of(name)) is not None}
    if own and len(own) < len(names):
        loose = next(name for name in names if name not in own)
        raise DataError(
            f"`{loose}` in `{source.path}` stands in no part, but `{next(iter(own))}` does; expected "
            "`train/`, `validation/` and `test/` above all class folders, or above none"
        )
    parts: list[Split] = sorted(set(own.values())) or ["train"]
    side_px = native_side_px(source, names)
    faces = read_class_folders(source, names, side_px, broken, roots=len(parts))
    part_of = np.array([own.get(name, "train") for name in faces.names])
    rows: dict[Split, Indices] = {part: np.flatnonzero(part_of == part) for part in parts}
    missing: list[Split] = [part for part in ("test", "validation") if part not in rows]
    if "train" in rows and missing:
        train = rows["train"]
        held = hold_out(faces.images[train], faces.labels[train], people_of(faces.names, train), missing)
        rows |= {part: train[indices] for part, indices in held.items()}
    has_parts = "test" in own.values()
    return FolderData(source.path.stem, faces, rows, has_parts, len(broken.names))


def people_of(names: Sequence[str], rows: Indices) -> tuple[str, ...] | None:
    """Who is on these faces; none where a file name does not tell it."""
    chosen = [names[index] for index in rows]
    if not all(is_ckplus_name(name) for name in chosen):
        return None
    return tuple(str(mark_of(name)[0]) for name in chosen)


def _part_of(name: str) -> Split | None:
    folders = PurePosixPath(name).parts[:-2]
    return FOLDER_PARTS.get(folders[-1].lower()) if folders else None


def _said(rows: Mapping[Split, Indices]) -> str:
    return ", ".join(f"{len(indices)} for {part}" for part, indices in rows.items())
