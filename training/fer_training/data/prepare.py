"""A data set without leaks: the FERPlus layout again, less every training face that a later part holds too."""

import csv
import io
import json
import zipfile
from pathlib import Path


from fer_gateway.contract import Frozen
from fer_training.data.ferplus import FOLDERS, Faces, load_ferplus
from fer_training.data.source import Source
from fer_training.data.twins import CORRELATION, HASH_DISTANCE, drop_twins, exact_twins, near_twins

REPORT = "prepared.json"
_POINTS = "landmarks.csv"


class Preparation(Frozen):
    """What `prepare` kept and dropped, by part."""

    faces: dict[str, int]
    exact_twins: dict[str, int]
    near_twins: dict[str, int]
    hash_distance: int = HASH_DISTANCE
    correlation: float = CORRELATION


def prepare(path: Path, out: Path) -> Preparation:
    """Write FER+ (folder or zip) without twins as a zip file in the same layout.

    Raises:
        DataError: see `load_ferplus`.
    """
    parts = load_ferplus(path)
    unlike = drop_twins(parts, exact_twins)
    clean = drop_twins(unlike, near_twins)
    report = Preparation(
        faces={part: len(faces) for part, faces in clean.items()},
        exact_twins={part: len(parts[part]) - len(unlike[part]) for part in parts},
        near_twins={part: len(unlike[part]) - len(clean[part]) for part in parts},
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(out.suffix + ".partial")
    with Source.open(path) as source, zipfile.ZipFile(partial, "w") as archive:
        archive.writestr("fer2013new.csv", _table(source, clean))
        for part, faces in clean.items():
            for name in sorted(set(faces.names)):
                file = f"{FOLDERS[part]}/{name}"
                archive.writestr(file, source.read(file))
        if _POINTS in source.names:
            archive.writestr(_POINTS, source.read(_POINTS))
        archive.writestr(REPORT, json.dumps(report.model_dump(), indent=2) + "\n")
    partial.replace(out)
    return report


def _table(source: Source, parts: dict[str, Faces]) -> str:
    """The rows of `fer2013new.csv` whose faces were kept; names are unique over the parts."""
    kept = {name for faces in parts.values() for name in faces.names}
    reader = csv.DictReader(io.StringIO(source.read("fer2013new.csv").decode("utf-8-sig")))
    text = io.StringIO()
    writer = csv.DictWriter(text, reader.fieldnames or ())
    writer.writeheader()
    writer.writerows(row for row in reader if row["Image name"] in kept)
    return text.getvalue()
