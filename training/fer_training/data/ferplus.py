"""FER+ in the layout of the FERPlus project: `fer2013new.csv` beside folders of PNG files, or in a zip."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_training.errors import DataError
from fer_training.data.source import Source

VOTE_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
FACE_PX = 48
PARTS: Mapping[str, str] = {"Training": "train", "PublicTest": "public", "PrivateTest": "private"}
FOLDERS: Mapping[str, str] = {"train": "FER2013Train", "public": "FER2013Valid", "private": "FER2013Test"}


@dataclass(frozen=True, slots=True)
class Faces:
    """Rows of one part: `images` N x 48 x 48 uint8, `votes` N x 10 (`VOTE_COLUMNS`), `names` N file names."""

    images: NDArray[np.uint8]
    votes: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, keep: NDArray[np.bool_]) -> "Faces":
        """The rows where the mask `keep` (N) is true."""
        return Faces(self.images[keep], self.votes[keep], tuple(np.array(self.names, dtype=object)[keep]))


def load_ferplus(path: Path) -> dict[str, Faces]:
    """Read the parts `train`, `public` and `private` from a folder or a zip file.

    Rows count, not files: four files stand in two rows each. Rows without an image name, which FER+ removed,
    are skipped.

    Raises:
        DataError: a missing file or column, a broken or wrongly sized image; names it and what was expected.
    """
    with Source.open(path) as source:
        rows: dict[str, list[tuple[str, list[int]]]] = {part: [] for part in FOLDERS}
        for part, name, votes in _rows(source):
            rows[part].append((name, votes))
        return {part: _faces(source, FOLDERS[part], part_rows) for part, part_rows in rows.items()}


def _rows(source: Source) -> list[tuple[str, str, list[int]]]:
    text = source.read("fer2013new.csv").decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text))
    missing = {"Usage", "Image name", *VOTE_COLUMNS} - set(reader.fieldnames or ())
    if missing:
        raise DataError(f"`fer2013new.csv` in `{source.path}` lacks the columns {sorted(missing)}")
    rows = []
    for number, row in enumerate(reader, start=2):
        if not row["Image name"]:
            continue
        if row["Usage"] not in PARTS:
            raise DataError(
                f"`fer2013new.csv` line {number}: `Usage` is `{row['Usage']}`, expected one of {list(PARTS)}"
            )
        try:
            votes = [int(row[column]) for column in VOTE_COLUMNS]
        except (TypeError, ValueError) as error:
            raise DataError(f"`fer2013new.csv` line {number}: a vote is no whole number") from error
        rows.append((PARTS[row["Usage"]], row["Image name"], votes))
    return rows


def _faces(source: Source, folder: str, rows: list[tuple[str, list[int]]]) -> Faces:
    images = np.empty((len(rows), FACE_PX, FACE_PX), np.uint8)
    for index, (name, _) in enumerate(rows):
        data = source.read(f"{folder}/{name}")
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
        if image is None:
            raise DataError(f"`{folder}/{name}` in `{source.path}` is no readable image")
        if image.shape != (FACE_PX, FACE_PX):
            height, width = image.shape[:2]
            raise DataError(
                f"`{folder}/{name}` in `{source.path}` is {width} x {height} px, expected 48 x 48"
            )
        images[index] = image
    votes = np.array([votes for _, votes in rows], np.int64).reshape(-1, len(VOTE_COLUMNS))
    return Faces(images, votes, tuple(name for name, _ in rows))
