"""Faces in class folders: what is read, and what a user is told where it cannot be."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_training.data.ckplus import CLASSES, load_ckplus
from fer_training.data.class_folders import load_class_folders
from fer_training.errors import DataError


def png(level: int, width: int = 48, height: int = 48) -> bytes:
    """A picture whose left half is black and whose right half is `level`."""
    picture = np.zeros((height, width), np.uint8)
    picture[:, width // 2 :] = level
    return cv2.imencode(".png", picture)[1].tobytes()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(folder: Path, path: Path, below: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.*"):
            archive.write(file, Path(below) / file.relative_to(folder))
    return path


TWO = {
    "sad/a.png": png(10),
    "happy/b.PNG": png(20),
    "happy/a.jpg": png(30),
    "notes.txt": b"x",
    "sad/.x.png": b"",
}


def test_a_folder_and_its_zips_are_the_same_faces(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", TWO)
    faces = load_class_folders(folder)
    assert faces.classes == ("happy", "sad")
    assert faces.names == ("happy/a.jpg", "happy/b.PNG", "sad/a.png")
    assert faces.labels.tolist() == [0, 0, 1]
    assert faces.images[:, 0, -1].tolist() == [30, 20, 10]
    assert faces.images.shape == (3, 48, 48)
    for number, below in enumerate(("", "top", "top/two")):
        (tmp_path / "mine" / "landmarks.csv").write_text("beside the pictures", encoding="utf-8")
        again = load_class_folders(zipped(folder, tmp_path / f"{number}.zip", below))
        np.testing.assert_array_equal(again.images, faces.images)
        assert again.classes == faces.classes


@pytest.mark.parametrize(("width", "height"), [(48, 48), (96, 96), (480, 300), (300, 480), (30, 20)])
def test_other_sizes_are_brought_to_the_asked_one(tmp_path: Path, width: int, height: int) -> None:
    write(tmp_path, {"a/1.png": png(200, width, height), "b/1.png": png(0, width, height)})
    faces = load_class_folders(tmp_path, 24)
    assert faces.images.shape == (2, 24, 24)
    middle = faces.images[0, 12]
    assert middle[:10].max() == 0
    assert middle[14:].min() == 200  # the middle square is kept, and not stretched


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme.txt": b"x"}, r"holds no pictures"),
        ({"1.png": png(1), "a/1.png": png(1)}, r"`1.png` in `.*` stands in no class folder"),
        ({"a/1.png": png(1), "a/2.png": png(1), "x.csv": b""}, r"holds one class only, `a`"),
        ({"happy/1.png": png(1), "happy/2.png": png(1)}, r"holds one class only, `happy`; expected pictures"),
        ({"1.png": png(1), "2.png": png(1)}, r"`1.png` in `.*` stands in no class folder"),
        ({"a/1.png": png(1), "b/c/1.png": png(1)}, r"`a/1.png` and `b/c/1.png` in `.*` stand in folders of"),
        (
            {"a/1.png": png(1), "b/1.png": b"no png"},
            r"`b/1.png` in `.*` is no readable picture.*--skip-broken",
        ),
        ({"a/1.png": png(1), "b/1.png": b""}, r"`b/1.png` in `.*` is no readable picture"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_class_folders(write(tmp_path, files))


def test_broken_pictures_are_skipped_and_counted_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, {"a/1.png": png(1), "a/2.png": b"?", "b/1.png": png(2), "b/2.png": b""})
    faces = load_class_folders(folder, skip_broken=True)
    assert faces.names == ("a/1.png", "b/1.png")
    assert "skipped 2 broken of 4 pictures" in capsys.readouterr().err
    (folder / "b/1.png").write_bytes(b"?")
    with pytest.raises(DataError, match="no readable picture of the class `b`"):
        load_class_folders(folder, skip_broken=True)


def ckplus_files() -> dict[str, bytes]:
    return {f"CK+48/{name}/S{10 + i:03}_00{i}_0000001{i}.png": png(i) for i, name in enumerate(CLASSES)}


def test_ckplus_tells_who_and_which_sequence(tmp_path: Path) -> None:
    files = {
        **ckplus_files(),
        "CK+48/fear/S010_000_00000020.png": png(1),
        "CK+48/fear/S010_002_00000020.png": png(1),
        "landmarks.csv": b"",
    }
    loaded = load_ckplus(write(tmp_path, files))
    assert loaded.faces.classes == CLASSES
    assert len(loaded) == 9
    who = dict(zip(loaded.faces.names, loaded.subjects.tolist(), strict=True))
    which = dict(zip(loaded.faces.names, loaded.sequences.tolist(), strict=True))
    first = "CK+48/anger/S010_000_00000010.png"
    assert who[first] == who["CK+48/fear/S010_002_00000020.png"] == 10
    assert which[first] == which["CK+48/fear/S010_000_00000020.png"]
    assert len(set(which.values())) == 8


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CK+48/anger/me.png", r"`anger/me.png` in `.*`: expected a name as `S010_004_"),
        ("CK+48/neutral/S010_004_00000017.png", r"has the class folders .*'neutral'.*, expected CK\+'s"),
    ],
)
def test_what_is_no_ckplus_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_ckplus(write(tmp_path, {**ckplus_files(), name: png(1)}))


def test_broken_pictures_of_ckplus_are_skipped_when_asked(tmp_path: Path) -> None:
    folder = write(tmp_path, {**ckplus_files(), "CK+48/fear/S010_000_00000020.png": b"?"})
    with pytest.raises(DataError, match=r"`fear/S010_000_00000020.png` .*--skip-broken"):
        load_ckplus(folder)
    loaded = load_ckplus(folder, skip_broken=True)
    assert len(loaded) == len(loaded.subjects) == len(loaded.sequences) == 7
