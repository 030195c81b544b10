"""A data set without leaks, written as a zip file: no face of a part stands in a later part too."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

import cv2
import numpy as np

from fer_gateway.contract import Frozen
from fer_training.data.datasets import DataSet, open_data
from fer_training.data.ferplus import FACE_PX, FOLDERS, VOTES, Faces
from fer_training.data.foldered import FolderData
from fer_training.data.held_out import Indices
from fer_training.data.parts import SPLITS, Split
from fer_training.data.source import Source
from fer_training.data.twins import (
    CORRELATION,
    HASH_DISTANCE,
    Greys,
    Mask,
    exact_twins,
    near_twins,
    without_twins,
)
from fer_training.data.voted import VotedData
from fer_training.errors import DataError

REPORT = "prepared.json"
_POINTS = "landmarks.csv"


class Preparation(Frozen):
    """What `prepare` kept and dropped, by part."""

    layout: Literal["FERPlus", "class folders"] = "FERPlus"
    """Of the file that was written."""
    parts: Literal["its own", "held out"] = "its own"
    """Whether the test part was one, or was taken from the training part."""
    faces: dict[str, int]
    exact_twins: dict[str, int]
    near_twins: dict[str, int]
    hash_distance: int = HASH_DISTANCE
    correlation: float = CORRELATION


def prepare(path: Path, out: Path, *, skip_broken: bool = False) -> Preparation:
    """Write a data set without twins as a zip file.

    FER+, from either of its layouts, becomes the FERPlus layout. Class folders stay class folders, below
    `train/`, `validation/` and `test/`: parts that were held out by a rule are folders from then on.

    Raises:
        DataError: see `open_data`; or `out` is the data set itself, or a folder.
    """
    if out.exists() and out.resolve() == path.resolve():
        raise DataError(f"`{out}` would replace the data set; give another `--out`")
    if out.is_dir():
        raise DataError(
            f"`{out}` is a folder; expected the zip file to write, for example `{out / 'data.zip'}`"
        )
    data = open_data(path, skip_broken=skip_broken)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(out.suffix + ".partial")
    try:
        with Source.open(path) as source, zipfile.ZipFile(partial, "w") as archive:
            report = _write(source, data, archive)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return report


def is_prepared(path: Path) -> bool:
    """Whether `prepare` wrote this data set.

    Raises:
        DataError: see `Source.open`.
    """
    with Source.open(path) as source:
        return REPORT in source.names


def _write(source: Source, data: DataSet, archive: zipfile.ZipFile) -> Preparation:
    if isinstance(data, VotedData):
        report = _write_voted(source, data, archive)
    elif isinstance(data, FolderData):
        report = _write_folders(source, data, archive)
    else:
        raise TypeError(f"no way to write a {type(data).__name__}")
    if _POINTS in source:
        archive.writestr(_POINTS, source.read(_POINTS))
    archive.writestr(REPORT, json.dumps(report.model_dump(), indent=2) + "\n")
    return report


def _write_voted(source: Source, data: VotedData, archive: zipfile.ZipFile) -> Preparation:
    images = {split: data.images(split) for split in SPLITS}
    unlike, clean = _twin_free(images)
    parts = {part: data.parts[part][clean[split]] for split, part in SPLITS.items()}
    archive.writestr(VOTES, _table(source, parts))
    for part, faces in parts.items():
        for name, image in sorted(dict(zip(faces.names, faces.images, strict=True)).items()):
            file = f"{FOLDERS[part]}/{name}"
            picture = source.read(file) if file in source else cv2.imencode(".png", image)[1].tobytes()
            archive.writestr(file, picture)
    return _report(images, unlike, clean, lambda split: SPLITS[split])


def _write_folders(source: Source, data: FolderData, archive: zipfile.ZipFile) -> Preparation:
    rows: dict[Split, Indices] = {split: data.rows[split] for split in SPLITS if split in data.rows}
    images = {split: data.images(split) for split in rows}
    unlike, clean = _twin_free(images)
    for split, indices in rows.items():
        for index in indices[clean[split]]:
            name = PurePosixPath(data.faces.names[index])
            archive.writestr(f"{split}/{name.parent.name}/{name.name}", source.read(str(name)))
    report = _report(images, unlike, clean, lambda split: split)
    return report.model_copy(
        update={"layout": "class folders", "parts": "its own" if data.has_parts else "held out"}
    )


def _twin_free(images: Mapping[Split, Greys]) -> tuple[dict[Split, Mask], dict[Split, Mask]]:
    """Which faces of each part stay when exact twins go, and which when near twins go after them."""
    unlike = without_twins(images, exact_twins)
    small = {split: _at_48_px(faces[unlike[split]]) for split, faces in images.items()}
    clean = {split: mask.copy() for split, mask in unlike.items()}
    for split, kept in without_twins(small, near_twins).items():
        clean[split][unlike[split]] = kept
    return unlike, clean


def _at_48_px(faces: Greys) -> Greys:
    """The size that the limits of `near_twins` were chosen at."""
    if faces.shape[1:] == (FACE_PX, FACE_PX) or not len(faces):
        return faces
    side = (FACE_PX, FACE_PX)
    return np.array([cv2.resize(face, side, interpolation=cv2.INTER_AREA) for face in faces], np.uint8)


def _report(
    images: Mapping[Split, Greys],
    unlike: Mapping[Split, Mask],
    clean: Mapping[Split, Mask],
    name: Callable[[Split], str],
) -> Preparation:
    return Preparation(
        faces={name(split): int(clean[split].sum()) for split in images},
        exact_twins={name(split): int((~unlike[split]).sum()) for split in images},
        near_twins={name(split): int((unlike[split] & ~clean[split]).sum()) for split in images},
    )


def _table(source: Source, parts: Mapping[str, Faces]) -> str:
    """The rows of `fer2013new.csv` whose faces were kept; names are unique over the parts."""
    kept = {name for faces in parts.values() for name in faces.names}
    reader = csv.DictReader(io.StringIO(source.text(source.find(VOTES))))
    text = io.StringIO()
    writer = csv.DictWriter(text, reader.fieldnames or ())
    writer.writeheader()
    writer.writerows(row for row in reader if row["Image name"] in kept)
    return text.getvalue()
