"""FER+ in the layout of the FERPlus project: `fer2013new.csv` beside folders of PNG files, or in a zip."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_training.data.broken import Broken, read_grey
from fer_training.data.source import Source
from fer_training.errors import DataError

VOTES = "fer2013new.csv"
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


def load_ferplus(path: Path, *, skip_broken: bool = False) -> dict[str, Faces]:
    """Read the parts `train`, `public` and `private` from a folder or a zip file.

    Rows count, not files: four files stand in two rows each. Rows without an image name, which FER+ removed,
    are skipped; with `skip_broken` also those of broken pictures, and their number goes to stderr.

    Raises:
        DataError: a missing file or column, a broken or wrongly sized image; names it and what was expected.
    """
    with Source.open(path) as source:
        return read_ferplus(source, Broken(path, skip_broken))


def read_ferplus(source: Source, broken: Broken) -> dict[str, Faces]:
    """See `load_ferplus`."""
    rows: dict[str, list[tuple[str, list[int]]]] = {part: [] for part in FOLDERS}
    for row in read_votes(source):
        if row.name:
            rows[row.part].append((row.name, row.votes))
    parts = {part: _faces(source, FOLDERS[part], part_rows, broken) for part, part_rows in rows.items()}
    broken.tell(sum(map(len, rows.values())))
    return parts


class VoteRow(NamedTuple):
    """A row of `fer2013new.csv`; FER+ removed the faces without a name."""

    part: str
    name: str
    votes: list[int]


def read_votes(source: Source) -> list[VoteRow]:
    """The rows of `fer2013new.csv`, those of removed faces too.

    Raises:
        DataError: the file or a column is missing, or a field is not what it should be; names the line.
    """
    reader = csv.DictReader(io.StringIO(source.text(source.find(VOTES))))
    missing = {"Usage", "Image name", *VOTE_COLUMNS} - set(reader.fieldnames or ())
    if missing:
        raise DataError(f"`{VOTES}` in `{source.path}` lacks the columns {sorted(missing)}")
    rows = []
    for number, row in enumerate(reader, start=2):
        place = source.line(VOTES, number)
        if None in row.values():
            count = sum(value is not None for value in row.values())
            raise DataError(f"{place}: {count} fields, expected {len(row)}")
        if row["Usage"] not in PARTS:
            raise DataError(f"{place}: `Usage` is `{row['Usage']}`, expected one of {list(PARTS)}")
        votes = [_vote(row[column], f"{place}: `{column}`") for column in VOTE_COLUMNS]
        rows.append(VoteRow(PARTS[row["Usage"]], row["Image name"], votes))
    return rows


def _vote(text: str, place: str) -> int:
    try:
        votes = int(text)
    except ValueError:
        votes = -1
    if votes < 0:
        raise DataError(f"{place} is `{text}`, expected a whole number of votes, 0 or more")
    return votes


def _faces(source: Source, folder: str, rows: list[tuple[str, list[int]]], broken: Broken) -> Faces:
    images, whole = np.empty((len(rows), FACE_PX, FACE_PX), np.uint8), np.zeros(len(rows), bool)
    for index, (name, _) in enumerate(rows):
        file = f"{folder}/{name}"
        image = read_grey(source, file, broken)
        if image is None:
            continue
        if image.shape != (FACE_PX, FACE_PX):
            broken.add(file, f"is {image.shape[1]} x {image.shape[0]} px, expected 48 x 48")
            continue
        images[index], whole[index] = image, True
    votes = np.array([votes for _, votes in rows], np.int64).reshape(-1, len(VOTE_COLUMNS))
    return Faces(images, votes, tuple(name for name, _ in rows))[whole]
