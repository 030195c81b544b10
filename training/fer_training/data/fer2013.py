"""FER2013 as Kaggle's `fer2013.csv`, its pixels in a column, beside the votes of `fer2013new.csv`."""

import csv
import io
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from fer_training.data.broken import Broken
from fer_training.data.ferplus import FACE_PX, FOLDERS, PARTS, VOTE_COLUMNS, VOTES, Faces, VoteRow, read_votes
from fer_training.data.source import Source
from fer_training.errors import DataError

PIXELS = "fer2013.csv"

_LEVELS: Mapping[str, int] = {str(level): level for level in range(256)}
_COUNT = FACE_PX * FACE_PX


def read_fer2013(source: Source, broken: Broken) -> dict[str, Faces]:
    """The parts `train`, `public` and `private`; rows that FER+ removed are left out.

    Line by line the two files speak of the same face: FER+ kept the order of Kaggle's.

    Raises:
        DataError: a missing file or column, files that do not belong together, a broken row; names the line.
    """
    kept: dict[str, list[tuple[VoteRow, NDArray[np.uint8]]]] = {part: [] for part in FOLDERS}
    votes = read_votes(source)
    number = 0
    for number, (usage, pixels) in enumerate(_rows(source), start=1):
        if number > len(votes):
            break
        row = votes[number - 1]
        if PARTS.get(usage) != row.part:
            place = source.line(PIXELS, number + 1)
            raise DataError(f"{place}: `Usage` is `{usage}`, but in `{VOTES}` that row is of another part")
        if row.name and (image := _image(pixels, f"{PIXELS}:{number + 1}", broken)) is not None:
            kept[row.part].append((row, image))
    if number != len(votes):
        raise DataError(
            f"`{PIXELS}` and `{VOTES}` in `{source.path}` have other numbers of rows; expected line by line "
            "the same faces (Kaggle's file has 35,887)"
        )
    broken.tell(sum(bool(row.name) for row in votes))
    return {part: _faces(rows) for part, rows in kept.items()}


def _rows(source: Source) -> Iterator[tuple[str, str]]:
    """`Usage` and `pixels` of each row."""
    rows = csv.reader(io.StringIO(source.text(source.find(PIXELS))))
    header = [column.strip() for column in next(rows, [])]
    if missing := {"pixels", "Usage"} - set(header):
        raise DataError(f"`{PIXELS}` in `{source.path}` lacks the columns {sorted(missing)}")
    usage, pixels = header.index("Usage"), header.index("pixels")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            place = source.line(PIXELS, number)
            raise DataError(f"{place}: {len(row)} fields, expected {len(header)}")
        yield row[usage].strip(), row[pixels]


def _image(pixels: str, name: str, broken: Broken) -> NDArray[np.uint8] | None:
    """48 x 48; none where it is broken and `broken` lets that pass."""
    try:
        levels = bytes(map(_LEVELS.__getitem__, pixels.split()))
    except KeyError as error:
        broken.add(name, f"has the pixel {error}, expected whole numbers 0..255")
        return None
    if len(levels) != _COUNT:
        broken.add(name, f"has {len(levels)} pixels, expected 48 x 48 = {_COUNT}")
        return None
    return np.frombuffer(levels, np.uint8).reshape(FACE_PX, FACE_PX)


def _faces(rows: list[tuple[VoteRow, NDArray[np.uint8]]]) -> Faces:
    images = np.array([image for _, image in rows], np.uint8).reshape(-1, FACE_PX, FACE_PX)
    votes = np.array([row.votes for row, _ in rows], np.int64).reshape(-1, len(VOTE_COLUMNS))
    return Faces(images, votes, tuple(row.name for row, _ in rows))
