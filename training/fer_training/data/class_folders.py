"""Faces in class folders, `<class>/<name>.png` side by side: CK+ of Kaggle, or a user's own pictures."""

import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.align import crop_matrix, warp
from fer_gateway.vision.geometry import Box
from fer_training.data.source import Source
from fer_training.errors import DataError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
"""What counts as a picture, in lower case; other files (`landmarks.csv`, notes) are passed over."""

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
        names = [name for name in source.names if _is_picture(name)]
        _check_layout(path, names)
        faces = {name: _face(source, name, side_px, skip_broken=skip_broken) for name in names}
    broken = [name for name, face in faces.items() if face is None]
    if broken:
        print(
            f"skipped {len(broken)} broken of {len(names)} pictures in `{path}`, the first is `{broken[0]}`",
            file=sys.stderr,
        )
    whole = {name: face for name, face in faces.items() if face is not None}
    classes = tuple(sorted({_class_of(name) for name in names}))
    labels = np.array([classes.index(_class_of(name)) for name in whole], np.int64)
    empty = [name for number, name in enumerate(classes) if number not in labels]
    if empty:
        raise DataError(f"`{path}` holds no readable picture of the class `{empty[0]}`")
    return ClassFolders(np.stack(list(whole.values())), labels, classes, tuple(whole))


def _is_picture(name: str) -> bool:
    file = PurePosixPath(name)
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _class_of(name: str) -> str:
    return PurePosixPath(name).parent.name


def _check_layout(path: Path, names: list[str]) -> None:
    if not names:
        raise DataError(f"`{path}` holds no pictures ({', '.join(sorted(SUFFIXES))}); {_LAYOUT}")
    roots = {PurePosixPath(name).parent.parent: name for name in reversed(names)}
    loose = next((name for name in names if not _class_of(name)), None)
    if loose is not None:
        raise DataError(f"`{loose}` in `{path}` stands in no class folder; {_LAYOUT}")
    if len(roots) > 1:
        first, second = sorted(roots.values())[:2]
        raise DataError(f"`{first}` and `{second}` in `{path}` stand in folders of other depth; {_LAYOUT}")
    if len({_class_of(name) for name in names}) < 2:
        raise DataError(f"`{path}` holds one class only, `{_class_of(names[0])}`; {_LAYOUT}")


def _face(source: Source, name: str, side_px: int, *, skip_broken: bool) -> NDArray[np.uint8] | None:
    """The face as a square; none where it is broken and that is allowed."""
    data = source.read(name)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None:
        if skip_broken:
            return None
        raise DataError(
            f"`{name}` in `{source.path}` is no readable picture; remove it, or give `--skip-broken`"
        )
    grey = np.asarray(image, np.uint8)
    height, width = grey.shape
    if height == width == side_px:
        return grey
    side = min(height, width)
    square = Box((width - side) / 2, (height - side) / 2, side, side)
    return warp(grey, crop_matrix(square, side_px), side_px)
