"""CK+ in the Kaggle layout: `CK+48/<class>/S<subject>_<sequence>_<frame>.png`, folder or zip.

Three frames of each sequence stand in it, and most people in several classes: which faces belong together
decides what a split measures.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_training.data.class_folders import ClassFolders, load_class_folders
from fer_training.errors import DataError

CLASSES = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
"""In the order of the labels. `happy` is FER+'s `happiness`."""

_EXPECTED = "expected a name as `S010_004_00000017.png` (subject, sequence, frame)"
_NAME = re.compile(r"S(?P<subject>\d+)_(?P<sequence>\d+)_(?P<frame>\d+)")


@dataclass(frozen=True, slots=True)
class CkPlus:
    """The faces of CK+, and who is on them."""

    faces: ClassFolders
    subjects: NDArray[np.int64]
    """N numbers of people, as the file names say."""
    sequences: NDArray[np.int64]
    """N numbers; frames of one sequence, and only they, have the same."""

    def __len__(self) -> int:
        return len(self.faces)


def load_ckplus(path: Path, side_px: int = 48, *, skip_broken: bool = False) -> CkPlus:
    """Read CK+; see `load_class_folders`.

    Raises:
        DataError: other classes than CK+'s seven, or a file whose name tells no subject and sequence.
    """
    faces = load_class_folders(path, side_px, skip_broken=skip_broken)
    if faces.classes != CLASSES:
        raise DataError(
            f"`{path}` has the class folders {list(faces.classes)}, expected CK+'s {list(CLASSES)}"
        )
    strange = next((name for name in faces.names if not is_ckplus_name(name)), None)
    if strange is not None:
        raise DataError(f"`{strange}` in `{path}`: {_EXPECTED}")
    marks = [mark_of(name) for name in faces.names]
    numbers = {mark: number for number, mark in enumerate(sorted(set(marks)))}
    return CkPlus(
        faces,
        subjects=np.array([subject for subject, _ in marks], np.int64),
        sequences=np.array([numbers[mark] for mark in marks], np.int64),
    )


def is_ckplus_name(name: str) -> bool:
    """Whether a file name tells subject, sequence and frame as those of CK+ do."""
    return _NAME.fullmatch(PurePosixPath(name).stem) is not None


def mark_of(name: str) -> tuple[int, int]:
    """Subject and sequence of a file.

    Raises:
        DataError: its name does not tell them.
    """
    match = _NAME.fullmatch(PurePosixPath(name).stem)
    if match is None:
        raise DataError(f"`{name}`: {_EXPECTED}")
    return int(match["subject"]), int(match["sequence"])
