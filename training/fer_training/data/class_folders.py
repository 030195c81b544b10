"""Faces in class folders, `<class>/<name>.png` side by side: CK+ of Kaggle, or a user's own pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.align import box_matrix, centred, warp
from fer_gateway.vision.geometry import Box
from fer_training.data.broken import Broken, read_grey
from fer_training.data.source import Source
from fer_training.errors import DataError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
"""What counts as a picture, in lower case; other files (`landmarks.csv`, notes) are passed over."""

SMALLEST_PX, LARGEST_PX = 48, 112
"""Sides that own pictures are read at."""

_SAMPLE = 50
_LAYOUT = "expected pictures as `<class>/<name>.png`, the folders of all classes side by side"


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """N faces, sorted by name, with the class that their folder names."""

    images: NDArray[np.uint8]
    """N x S x S, grey."""
    labels: NDArray[np.int64]
    """N indices into `classes`."""
    classes: tuple[str, ...]
    """The names of the folders, sorted."""
    names: tuple[str, ...]
    """N paths below the folder or archive, `<class>/<name>.png` at the end."""

    def __len__(self) -> int:
        return len(self.names)


def load_class_folders(path: Path, side_px: int = 48, *, skip_broken: bool = False) -> ClassFolders:
    """Read every picture of a folder or zip file of class folders.

    A picture of another size is brought to `side_px` (its middle square, if it is none) as serving would.

    Args:
        path: a folder or a zip file; the class folders may stand in one folder more (`CK+48/anger/...`).
        side_px: side of the images that come back.
        skip_broken: leave out pictures that cannot be read, and say on stderr how many.

    Raises:
        DataError: no pictures, fewer than two classes, pictures outside class folders, or a broken picture.
    """
    with Source.open(path) as source:
        return read_class_folders(source, pictures_in(source), side_px, Broken(path, skip_broken))


def pictures_in(source: Source) -> tuple[str, ...]:
    """The paths of all pictures, sorted."""
    return tuple(name for name in source.names if _is_picture(name))


def read_class_folders(
    source: Source, names: Sequence[str], side_px: int, broken: Broken, roots: int = 1
) -> ClassFolders:
    """These pictures of a data set, whose class folders stand below up to `roots` folders; see above."""
    _check_layout(source, names, roots)
    faces = {name: _face(source, name, side_px, broken) for name in names}
    broken.tell(len(names))
    whole = {name: face for name, face in faces.items() if face is not None}
    classes = tuple(sorted({class_of(name) for name in names}))
    labels = np.array([classes.index(class_of(name)) for name in whole], np.int64)
    empty = [name for number, name in enumerate(classes) if number not in labels]
    if empty:
        raise DataError(f"`{source.path}` holds no readable picture of the class `{empty[0]}`")
    return ClassFolders(np.stack(list(whole.values())), labels, classes, tuple(whole))


def _is_picture(name: str) -> bool:
    file = PurePosixPath(name)
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def native_side_px(source: Source, names: Sequence[str]) -> int:
    """The usual side of these pictures, the median over some of them: 48 px as FER+ has, up to 112 px."""
    picks = np.linspace(0, len(names) - 1, min(_SAMPLE, len(names))).round().astype(int)
    faces = [read_grey(source, names[pick], Broken(source.path, skip=True)) for pick in picks]
    sides = [min(face.shape) for face in faces if face is not None]
    return int(np.clip(np.median(sides), SMALLEST_PX, LARGEST_PX)) if sides else SMALLEST_PX


def class_of(name: str) -> str:
    """The folder that a picture stands in."""
    return PurePosixPath(name).parent.name


def _check_layout(source: Source, names: Sequence[str], roots: int) -> None:
    path = source.path
    if not names:
        raise DataError(f"`{path}` holds no pictures ({', '.join(sorted(SUFFIXES))}); {_LAYOUT}")
    if source.top and not any(map(class_of, names)):
        raise DataError(f"`{path}` holds one class only, `{source.top}`; {_LAYOUT}")
    loose = next((name for name in names if not class_of(name)), None)
    if loose is not None:
        raise DataError(f"`{loose}` in `{path}` stands in no class folder; {_LAYOUT}")
    tops = {PurePosixPath(name).parent.parent: name for name in reversed(names)}
    if len(tops) > roots:
        first, second = sorted(tops.values())[:2]
        raise DataError(f"`{first}` and `{second}` in `{path}` stand in folders of other depth; {_LAYOUT}")
    if len({class_of(name) for name in names}) < 2:
        raise DataError(f"`{path}` holds one class only, `{class_of(names[0])}`; {_LAYOUT}")


def _face(source: Source, name: str, side_px: int, broken: Broken) -> NDArray[np.uint8] | None:
    """The face as a square; none where it is broken and that is allowed."""
    grey = read_grey(source, name, broken)
    if grey is None or grey.shape == (side_px, side_px):
        return grey
    height, width = grey.shape
    side = min(height, width)
    square = Box((width - side) / 2, (height - side) / 2, side, side)
    return warp(grey, centred(box_matrix(square, side_px)), side_px)
