"""Every layout of a data set: told apart by what is inside, read alike as folder and zip, faults named."""

import csv
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from fer_training.data.datasets import DataSet, open_data
from fer_training.data.ferplus import FOLDERS, load_ferplus
from fer_training.data.held_out import SHARE, hold_out
from fer_training.data.layouts import layout_of
from fer_training.data.source import Source
from fer_training.errors import DataError

from .conftest import ROWS


def png(seed: int, width: int = 48, height: int = 48) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    return cv2.imencode(".png", picture)[1].tobytes()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, Path("some") / "top" / file.relative_to(folder))
    return path


def class_folders(classes: int = 3, faces: int = 20) -> dict[str, bytes]:
    return {f"class{n}/{i:03}.png": png(100 * n + i) for n in range(classes) for i in range(faces)}


def below_parts() -> dict[str, bytes]:
    parts = {"Train": 6, "val": 3, "test": 2}
    return {
        f"{part}/{name}/{i}.png": png(1000 * p + 10 * i + c)
        for p, (part, faces) in enumerate(parts.items())
        for c, name in enumerate(("no", "yes"))
        for i in range(faces)
    }


def ckplus() -> dict[str, bytes]:
    """30 people, each in two classes, three frames a sequence."""
    files = {}
    for person in range(30):
        for turn in range(2):
            folder = ("anger", "happy", "fear")[(person + turn) % 3]
            for frame in range(3):
                name = f"CK+48/{folder}/S{person:03}_00{turn}_0000001{frame}.png"
                files[name] = png(100 * person + 10 * turn + frame)
    return files


def fer2013_columns(ferplus: Path, folder: Path) -> Path:
    """The same FER+ as Kaggle gives it: pixels in a column, a row for the removed face too."""
    parts = load_ferplus(ferplus)
    images = {
        name: image for faces in parts.values() for name, image in zip(faces.names, faces.images, strict=True)
    }
    shutil.copy(ferplus / "fer2013new.csv", folder / "fer2013new.csv")
    with (folder / "fer2013new.csv").open(encoding="utf-8") as votes:
        rows = [(row["Usage"], row["Image name"]) for row in csv.DictReader(votes)]
    with (folder / "fer2013.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for usage, name in rows:
            pixels = images[name].ravel() if name else np.zeros(48 * 48, np.uint8)
            writer.writerow([3, " ".join(map(str, pixels.tolist())), usage])
    return folder


def parts_of(data: DataSet) -> dict[str, int]:
    return {part: len(data.images(part)) for part in ("train", "validation", "test")}


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        ({"FER2013Test/a.png": b"", "fer2013new.csv": b""}, "ferplus"),
        ({"FER2013Test/a.png": b"", "FER2013Valid/b.png": b""}, "ferplus"),
        ({"fer2013/fer2013.csv": b"", "fer2013new.csv": b""}, "fer2013"),
        ({"fer2013.csv": b"", "readme.md": b""}, "fer2013"),
        (ckplus(), "ckplus"),
        ({**ckplus(), "CK+48/fear/me.png": b""}, "folders"),
        (class_folders(2, 1), "folders"),
        (below_parts(), "folders"),
    ],
)
def test_a_layout_is_known_by_what_is_inside(tmp_path: Path, files: dict[str, bytes], layout: str) -> None:
    with Source.open(write(tmp_path, files)) as source:
        assert layout_of(source) == layout


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"notes.txt": b"x"},
            r"holds no pictures .*, but `notes.txt`; expected one of\n  FERPlus: .*`train/`",
        ),
        ({}, "holds no pictures .* nothing; expected one of"),
        ({"fer2013new.csv": b""}, "holds votes .*, but no faces; expected one of"),
        ({"fer2013.csv": b"emotion,pixels,Usage\n"}, "`fer2013new.csv` is missing"),
        (
            {"train/a/1.png": png(1), "b/2.png": png(2)},
            "`b/2.png` .* stands in no part, but `train/a/1.png` does",
        ),
        ({"one/1.png": png(1), "one/2.png": png(2)}, "holds one class only, `one`; expected pictures as"),
    ],
)
def test_what_is_no_data_set_is_told_what_is_expected(
    tmp_path: Path, files: dict[str, bytes], said: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with pytest.raises(DataError, match=f"(?s){said}"):
        open_data(write(folder, files))


def test_pixels_in_a_column_are_the_same_faces(tmp_path: Path, ferplus_folder: Path) -> None:
    folder = fer2013_columns(ferplus_folder, tmp_path)
    pictures, columns = open_data(ferplus_folder), open_data(folder)
    archived = open_data(zipped(folder, tmp_path / "archive.zip"))
    for part in ("train", "validation", "test"):
        expected = pictures.split(part, "majority", twins=True)
        for data in (columns, archived):
            faces = data.split(part, "majority", twins=True)
            np.testing.assert_array_equal(faces.images, expected.images)
            np.testing.assert_array_equal(faces.targets, expected.targets)
            assert faces.names == expected.names
    assert parts_of(columns) == dict(zip(("train", "validation", "test"), ROWS.values(), strict=True))


def _replace(old: str, new: str) -> Callable[[Path], None]:
    def edit(file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def _cut(file: Path) -> None:
    file.write_text("\n".join(file.read_text("utf-8").splitlines()[:-3]) + "\n", encoding="utf-8")


def _binary(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_replace("pixels", "points"), r"lacks the columns \['pixels'\]"),
        (_replace("Training", "PublicTest"), "line 2: `Usage` is `PublicTest`, but in `fer2013new.csv`"),
        (_cut, "have other numbers of rows"),
        (_replace("3,", "3,300 "), "`fer2013.csv:2` .* has the pixel '300', expected whole numbers 0..255"),
        (_replace("3,", "3,12 "), "`fer2013.csv:2` .* has 2305 pixels, expected 48 x 48"),
        (_replace("3,", "3,3,"), "line 2: 4 fields, expected 3"),
        (_binary, "`fer2013.csv` .* is no UTF-8 text"),
    ],
)
def test_damage_of_the_column_is_named(
    tmp_path: Path, ferplus_folder: Path, damage: Callable[[Path], None], named: str
) -> None:
    folder = fer2013_columns(ferplus_folder, tmp_path)
    damage(folder / "fer2013.csv")
    with pytest.raises(DataError, match=named):
        open_data(folder)


def test_broken_rows_and_pictures_are_skipped_when_asked(
    tmp_path: Path, ferplus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    column, pictures = tmp_path / "column", tmp_path / "pictures"
    column.mkdir()
    _replace("3,", "3,300 ")(fer2013_columns(ferplus_folder, column) / "fer2013.csv")
    shutil.copytree(ferplus_folder, pictures)
    (pictures / FOLDERS["train"] / "fer0000000.png").write_bytes(b"no image")
    for folder in (column, pictures):
        with pytest.raises(DataError, match="--skip-broken"):
            open_data(folder)
        data = open_data(folder, skip_broken=True)
        assert data.skipped == 1
        assert len(data.images("train")) == ROWS["train"] - 1
        assert f"skipped 1 broken of {sum(ROWS.values())} pictures" in capsys.readouterr().err
        assert "fer0000000.png" not in data.split("train", "argmax", twins=True).names
    (pictures / FOLDERS["train"] / "fer0000001.png").unlink()
    with pytest.raises(DataError, match=r"fer0000001\.png` is missing"):  # that is no broken picture
        open_data(pictures, skip_broken=True)


def test_parts_above_class_folders_are_kept(tmp_path: Path) -> None:
    data = open_data(write(tmp_path / "mine", below_parts()))
    assert data.has_parts
    assert data.classes == ("no", "yes")
    assert parts_of(data) == {"train": 12, "validation": 6, "test": 4}
    faces = data.split("test", "majority", twins=False)
    assert faces.labels.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(faces.targets, np.eye(2)[faces.labels])
    assert data.title("test", "majority") == "mine test"


@pytest.mark.parametrize("missing", ["val", "test", "Train"])
def test_a_part_without_a_folder_is_held_out_of_training(tmp_path: Path, missing: str) -> None:
    files = {name: data for name, data in below_parts().items() if not name.startswith(missing)}
    data = open_data(write(tmp_path, files))
    sizes = parts_of(data)
    if missing == "Train":
        assert sizes == {"train": 0, "validation": 6, "test": 4}
        with pytest.raises(DataError, match="holds no faces for train; it has 4 for test, 6 for validation"):
            data.split("train", "majority", twins=False)
        return
    held = {"val": "validation", "test": "test"}[missing]
    assert sizes[held] == 2  # one of each class
    assert sum(sizes.values()) == len(files)
    assert data.has_parts == (missing != "test")


def test_a_folder_its_zip_and_a_renamed_copy_are_split_alike(tmp_path: Path) -> None:
    files = class_folders()
    folder = write(tmp_path / "mine", files)
    renamed = write(
        tmp_path / "renamed", {f"{name[:-4]}-{9 - n % 7}.png": d for n, (name, d) in enumerate(files.items())}
    )
    data, others = open_data(folder), [open_data(zipped(folder, tmp_path / "my.zip")), open_data(renamed)]
    assert not data.has_parts
    assert parts_of(data) == {"train": 48, "validation": 6, "test": 6}
    for part in ("train", "validation", "test"):
        faces = data.split(part, "majority", twins=False)
        assert np.bincount(faces.labels).tolist() == [len(faces) // 3] * 3
        for other in others:
            assert {image.tobytes() for image in other.images(part)} == {i.tobytes() for i in faces.images}


def test_people_of_ckplus_are_in_one_part_only(tmp_path: Path) -> None:
    data = open_data(write(tmp_path, ckplus()))
    people = {
        part: {name.rsplit("/")[-1].split("_")[0] for name in data.split(part, "majority", twins=True).names}
        for part in ("train", "validation", "test")
    }
    assert {part: len(who) for part, who in people.items()} == {"train": 24, "validation": 3, "test": 3}
    assert sum(map(len, people.values())) == len(set.union(*people.values()))


@given(
    labels=arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 3)),
    people=st.none() | st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_every_face_is_in_one_part(labels: NDArray[np.int64], people: int | None, seed: int) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (len(labels), 2, 2), dtype=np.uint8)
    who = None if people is None else tuple(str(random.integers(people)) for _ in labels)
    parts = hold_out(images, labels, who)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(labels)))
    if who is None:
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
            held = int((labels[parts["test"]] == label).sum())
            assert held == (max(1, round(SHARE * int(count))) if count > 1 else 0)
            assert int((labels[parts["train"]] == label).sum()) >= 1
    else:
        owners = [{who[index] for index in part} for part in parts.values()]
        assert sum(map(len, owners)) == len(set.union(*owners))


@pytest.mark.parametrize(("side", "expected"), [(24, 48), (48, 48), (100, 100), (400, 112)])
def test_pictures_are_read_at_their_usual_size(tmp_path: Path, side: int, expected: int) -> None:
    files = {f"{name}/{i}.png": png(i, side, side + 10) for name in "ab" for i in range(3)}
    assert open_data(write(tmp_path, files)).images("train").shape[1:] == (expected, expected)
