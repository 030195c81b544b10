"""`prepare` drops twins between parts: identical, shifted, mirrored or relit cuts, and nobody else's face."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from numpy.typing import NDArray

from fer_training.cli import main
from fer_training.data.datasets import open_data
from fer_training.data.ferplus import FOLDERS, PARTS, VOTE_COLUMNS, load_ferplus
from fer_training.data.prepare import prepare
from fer_training.data.twins import drop_twins, exact_twins, near_twins
from fer_training.errors import DataError

Grey = NDArray[np.uint8]
HAPPY = [1, 9, 0, 0, 0, 0, 0, 0, 0, 0]


def strangers() -> Grey:
    """100 faces of 48 x 48 px, of different people: LFW's in scikit-image, enlarged."""
    small = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")[:100]
    grey = (255 * small / small.max()).astype(np.uint8)
    return np.array([cv2.resize(face, (48, 48), interpolation=cv2.INTER_CUBIC) for face in grey], np.uint8)


def shifted(face: Grey) -> Grey:
    return np.asarray(cv2.copyMakeBorder(face, 2, 0, 0, 1, cv2.BORDER_REPLICATE)[:48, 1:], np.uint8)


def mirrored(face: Grey) -> Grey:
    return face[:, ::-1]


def relit(face: Grey) -> Grey:
    return (0.8 * face + 30).astype(np.uint8)


def saved_again(face: Grey) -> Grey:
    coded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def enlarged(face: Grey) -> Grey:
    return np.asarray(cv2.resize(face, None, fx=1.06, fy=1.06)[1:49, 1:49], np.uint8)


NEAR = (shifted, mirrored, relit, saved_again, enlarged)


def write_ferplus(path: Path, parts: Mapping[str, Grey]) -> Path:
    """A zip file in the FERPlus layout; faces are numbered from the training part on."""
    usages = {part: usage for usage, part in PARTS.items()}
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["Usage", "Image name", *VOTE_COLUMNS])
    number = 0
    with zipfile.ZipFile(path, "w") as archive:
        for part, faces in parts.items():
            for face in faces:
                name = f"fer{number:07d}.png"
                archive.writestr(f"{FOLDERS[part]}/{name}", cv2.imencode(".png", face)[1].tobytes())
                writer.writerow([usages[part], name, *HAPPY])
                number += 1
        archive.writestr("fer2013new.csv", table.getvalue())
    return path


@pytest.mark.parametrize("change", NEAR)
def test_another_cut_of_a_photo_is_a_near_twin_and_no_exact_one(change: Callable[[Grey], Grey]) -> None:
    faces = strangers()
    changed = np.array([change(face) for face in faces[:20]])
    assert not exact_twins(changed, faces).any()
    assert near_twins(changed, faces).mean() >= 0.9


def test_strangers_are_no_twins() -> None:
    faces = strangers()
    for half, other in ((faces[:50], faces[50:]), (faces[50:], faces[:50])):
        assert not near_twins(half, other).any()
        assert not exact_twins(half, other).any()


def test_what_is_dropped_and_what_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = strangers()
    near = np.array([change(faces[80 + index]) for index, change in enumerate(NEAR)])
    parts = {
        "train": np.concatenate([faces[:50], faces[60:62], faces[80:83], near]),
        "public": np.concatenate([faces[60:70], faces[90:91], mirrored(faces[91])[None]]),
        "private": faces[80:95],
    }
    out = tmp_path / "out" / "clean.zip"
    assert (
        main(["prepare", "--data", str(write_ferplus(tmp_path / "all.zip", parts)), "--out", str(out)]) == 0
    )
    said = capsys.readouterr().out
    assert "layout of FERPlus" in said
    with zipfile.ZipFile(out) as archive:
        report = json.loads(archive.read("prepared.json"))
        files = [name for name in archive.namelist() if name.endswith(".png")]
    assert report["exact_twins"] == {"train": 5, "public": 1, "private": 0}
    assert report["near_twins"] == {"train": len(NEAR), "public": 1, "private": 0}
    clean = load_ferplus(out)
    assert {part: len(rows) for part, rows in clean.items()} == report["faces"]
    assert report["faces"] == {"train": 50, "public": 10, "private": 15}
    assert len(files) == 75  # pictures of dropped rows are gone
    np.testing.assert_array_equal(clean["train"].images, faces[:50])
    np.testing.assert_array_equal(clean["private"].images, parts["private"])


def test_a_second_time_finds_nothing(tmp_path: Path) -> None:
    faces = strangers()
    near = np.array([change(face) for change in NEAR for face in faces[70:76]])
    parts = {"train": np.concatenate([faces[:40], near]), "public": faces[40:72], "private": faces[72:]}
    first = prepare(write_ferplus(tmp_path / "all.zip", parts), tmp_path / "once.zip")
    assert sum(first.near_twins.values()) > 20
    again = prepare(tmp_path / "once.zip", tmp_path / "twice.zip")
    assert set(again.exact_twins.values()) == set(again.near_twins.values()) == {0}
    assert again.faces == first.faces


def test_kaggle_s_column_becomes_pictures(tmp_path: Path) -> None:
    faces = strangers()
    parts = {"train": faces[:20], "public": faces[18:30], "private": faces[30:40]}
    pictures = write_ferplus(tmp_path / "all.zip", parts)
    rows = [(usage, face) for usage, part in PARTS.items() for face in parts[part]]
    lines = [f"0,{' '.join(map(str, face.ravel().tolist()))},{usage}" for usage, face in rows]
    with zipfile.ZipFile(pictures) as archive, zipfile.ZipFile(tmp_path / "column.zip", "w") as column:
        column.writestr("fer2013.csv", "\n".join(["emotion,pixels,Usage", *lines]) + "\n")
        column.writestr("fer2013new.csv", archive.read("fer2013new.csv"))
    reports = [prepare(tmp_path / f"{name}.zip", tmp_path / f"{name}.out") for name in ("all", "column")]
    assert reports[0] == reports[1]
    assert reports[0].exact_twins == {"train": 2, "public": 0, "private": 0}
    expected, found = (load_ferplus(tmp_path / f"{name}.out") for name in ("all", "column"))
    for part, rows_of_part in expected.items():
        np.testing.assert_array_equal(found[part].images, rows_of_part.images)


def test_class_folders_get_the_parts_that_were_held_out(tmp_path: Path) -> None:
    faces = strangers()
    folder = tmp_path / "mine"
    for number, face in enumerate([*faces[:60], faces[5], shifted(faces[6])]):
        file = folder / ("glad", "sober")[number % 2] / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), face)
    report = prepare(folder, tmp_path / "mine.zip")
    assert (report.layout, report.parts) == ("class folders", "held out")
    assert (
        sum(report.faces.values()) + sum(report.exact_twins.values()) + sum(report.near_twins.values()) == 62
    )
    before, after = open_data(folder), open_data(tmp_path / "mine.zip")
    assert after.has_parts
    assert after.classes == before.classes
    np.testing.assert_array_equal(after.images("test"), before.images("test"))
    again = prepare(tmp_path / "mine.zip", tmp_path / "again.zip")
    assert (again.parts, again.faces) == ("its own", report.faces)
    assert set(again.exact_twins.values()) == set(again.near_twins.values()) == {0}


def test_the_data_set_is_never_its_own_output(tmp_path: Path) -> None:
    data = write_ferplus(tmp_path / "all.zip", dict.fromkeys(FOLDERS, strangers()[:2]))
    with pytest.raises(DataError, match="would replace the data set"):
        prepare(data, data)


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    data = write_ferplus(tmp_path / "all.zip", dict.fromkeys(FOLDERS, strangers()[:2]))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=r"out` is a folder; expected the zip file to write"):
        prepare(data, tmp_path / "out")
    assert {file.name for file in tmp_path.iterdir()} == {"all.zip", "out"}


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    data = write_ferplus(tmp_path / "all.zip", dict.fromkeys(FOLDERS, strangers()[:2]))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("landmarks.csv", "damaged below")
    damaged = bytearray(data.read_bytes())
    damaged[damaged.index(b"damaged below")] ^= 0xFF  # the check sum fails when all else is written
    data.write_bytes(damaged)
    with pytest.raises(DataError, match=r"`landmarks.csv` in `.*` cannot be read"):
        prepare(data, tmp_path / "clean.zip")
    assert [file.name for file in tmp_path.iterdir()] == ["all.zip"]


def test_dropping_by_part_is_that_of_the_loader(tmp_path: Path) -> None:
    faces = strangers()
    data = write_ferplus(
        tmp_path / "all.zip", {"train": faces[:9], "public": faces[5:8], "private": faces[7:9]}
    )
    kept = drop_twins(load_ferplus(data))
    assert {part: len(rows) for part, rows in kept.items()} == {"train": 5, "public": 2, "private": 2}
