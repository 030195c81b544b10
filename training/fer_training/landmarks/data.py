"""The landmark labels of FER+: five points a face, with how much they can be trusted."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_training.data.broken import Broken, read_grey
from fer_training.data.ferplus import FACE_PX, Faces, load_ferplus
from fer_training.data.parts import SPLITS, Split
from fer_training.data.source import Source
from fer_training.data.twins import drop_twins
from fer_training.errors import DataError

FILE = "landmarks.csv"
COLUMNS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
"""In the order of `vision.landmarks.POINT_NAMES`."""

TRUSTED_SCORE = 0.6


@dataclass(frozen=True, slots=True)
class PointedFaces:
    """Images N x 48 x 48 uint8 with their points.

    `points` is N x 5 x 2, pixels with continuous edges (a pixel's centre is at + 0.5); `spread_px` N, the
    mean distance of the labelling renderings from their mean; `score` N, 0..1.
    """

    images: NDArray[np.uint8]
    points: NDArray[np.float64]
    spread_px: NDArray[np.float64]
    score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, keep: NDArray[np.bool_]) -> "PointedFaces":
        """The rows where the mask `keep` (N) is true."""
        return PointedFaces(self.images[keep], self.points[keep], self.spread_px[keep], self.score[keep])

    @property
    def trusted(self) -> "PointedFaces":
        """The faces whose score is at least 0.6."""
        return self[self.score >= TRUSTED_SCORE]


def load_pointed(path: Path, *, skip_broken: bool = False) -> dict[Split, PointedFaces]:
    """The faces of each split that have landmarks; training faces without pixel twins in later splits.

    Raises:
        DataError: see `load_ferplus`; or `landmarks.csv` is missing or broken.
    """
    rows = load_points(path)
    parts = drop_twins(load_ferplus(path, skip_broken=skip_broken))
    return {split: _pointed(parts[part], rows) for split, part in SPLITS.items()}


def load_pointed_folder(path: Path, *, skip_broken: bool = False) -> PointedFaces:
    """Every face that the `landmarks.csv` of another data set names, whatever its folders (for measuring).

    Raises:
        DataError: an image is missing or unreadable.
    """
    rows, broken = load_points(path), Broken(path, skip_broken)
    images, values = [], []
    with Source.open(path) as source:
        files = {name.split("/", 1)[-1]: name for name in source.names} | {
            name: name for name in source.names
        }
        for name, row in rows.items():
            image = read_grey(source, files.get(name, name), broken)
            if image is None:
                continue
            if image.shape != (FACE_PX, FACE_PX):
                broken.add(name, f"is {image.shape[1]} x {image.shape[0]} px, expected {FACE_PX} x {FACE_PX}")
                continue
            images.append(image)
            values.append(row)
    broken.tell(len(rows))
    return _faces(np.array(images, np.uint8).reshape(-1, FACE_PX, FACE_PX), values)


def load_points(path: Path) -> dict[str, NDArray[np.float64]]:
    """Image name -> score, spread_px, then the ten coordinates (continuous edges), 12 values.

    Raises:
        DataError: the file or a column is missing, or a value is no number.
    """
    names = [f"{column}_{axis}" for column in COLUMNS for axis in "xy"]
    columns = ["image", "score", "spread_px", *names]
    with Source.open(path) as source:
        if FILE not in source:
            raise DataError(
                f"`{FILE}` is missing in `{path}`; expected it beside the pictures, with the columns "
                f"{', '.join(columns)} (`python -m fer_training landmarks --help` says what they mean)"
            )
        text = source.text(FILE)
    reader = csv.DictReader(io.StringIO(text))
    missing = set(columns) - set(reader.fieldnames or ())
    if missing:
        raise DataError(f"`{FILE}` in `{path}` lacks the columns {sorted(missing)}")
    rows = {}
    for number, row in enumerate(reader, start=2):
        try:
            values = np.array([float(row[name]) for name in ("score", "spread_px", *names)])
        except (TypeError, ValueError) as error:
            raise DataError(f"`{FILE}` in `{path}`, line {number}: a value is no number") from error
        values[2:] += 0.5
        rows[row["image"]] = values
    return rows


def _pointed(faces: Faces, rows: dict[str, NDArray[np.float64]]) -> PointedFaces:
    known = np.array([name in rows for name in faces.names], dtype=bool)
    faces = faces[known]
    return _faces(faces.images, [rows[name] for name in faces.names])


def _faces(images: NDArray[np.uint8], rows: Sequence[NDArray[np.float64]]) -> PointedFaces:
    """Images with their rows of `load_points`."""
    values = np.array(rows).reshape(-1, 12)
    return PointedFaces(images, values[:, 2:].reshape(-1, 5, 2), values[:, 1], values[:, 0])
