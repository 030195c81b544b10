"""Reading the FERPlus layout, whole and broken."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_training.data.datasets import open_data
from fer_training.data.ferplus import load_ferplus
from fer_training.data.twins import drop_twins
from fer_training.errors import DataError

from .conftest import ROWS


def test_folder_and_zip_hold_the_same_faces(ferplus_folder: Path, ferplus_zip: Path) -> None:
    from_folder, from_zip = load_ferplus(ferplus_folder), load_ferplus(ferplus_zip)
    assert {part: len(faces) for part, faces in from_folder.items()} == ROWS
    for part, faces in from_folder.items():
        np.testing.assert_array_equal(faces.images, from_zip[part].images)
        np.testing.assert_array_equal(faces.votes, from_zip[part].votes)
        assert faces.names == from_zip[part].names


def test_split_has_labels_and_targets(ferplus_folder: Path) -> None:
    faces = open_data(ferplus_folder).split("validation", "majority", twins=False)
    assert len(faces) == ROWS["public"]
    assert set(faces.labels.tolist()) == {0, 1}
    np.testing.assert_allclose(faces.targets.sum(axis=1), 1)


def test_twins_leave_training_and_validation_but_not_the_test_part(
    tmp_path: Path, ferplus_folder: Path
) -> None:
    folder = shutil.copytree(ferplus_folder, tmp_path / "data")
    tested = next((folder / "FER2013Test").iterdir())
    shutil.copy(tested, next((folder / "FER2013Train").iterdir()))
    shutil.copy(tested, next((folder / "FER2013Valid").iterdir()))
    kept = drop_twins(load_ferplus(folder))
    assert {part: len(faces) for part, faces in kept.items()} == {
        "train": ROWS["train"] - 1,
        "public": ROWS["public"] - 1,
        "private": ROWS["private"],
    }


def _cut_csv(folder: Path) -> None:
    (folder / "fer2013new.csv").unlink()


def _lose_image(folder: Path) -> None:
    (folder / "FER2013Valid" / "fer0000100.png").unlink()


def _break_image(folder: Path) -> None:
    (folder / "FER2013Valid" / "fer0000100.png").write_bytes(b"no image")


def _empty_image(folder: Path) -> None:
    (folder / "FER2013Valid" / "fer0000100.png").write_bytes(b"")


def _enlarge_image(folder: Path) -> None:
    cv2.imwrite(str(folder / "FER2013Valid" / "fer0000100.png"), np.zeros((50, 40), np.uint8))


def _edit_csv(old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        file = folder / "fer2013new.csv"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_cut_csv, "`fer2013new.csv` is missing"),
        (_lose_image, "`FER2013Valid/fer0000100.png` is missing in .*; expected every picture that a row"),
        (_break_image, "`FER2013Valid/fer0000100.png` .* no readable picture"),
        (_empty_image, "`FER2013Valid/fer0000100.png` .* no readable picture"),
        (_enlarge_image, "is 40 x 50 px, expected 48 x 48"),
        (_edit_csv("contempt", "scorn"), r"lacks the columns \['contempt'\]"),
        (_edit_csv("Training,", "Trainin,"), "data`, line 2: `Usage` is `Trainin`"),
        (_edit_csv("fer0000000.png,1,9", "fer0000000.png,1,one"), "data`, line 2: `happiness` is `one`, exp"),
        (
            _edit_csv("fer0000000.png,1,", "fer0000000.png,-1,"),
            "data`, line 2: `neutral` is `-1`, expected a",
        ),
        (_edit_csv("fer0000000.png,1,9,0", "fer0000000.png,1,,0"), "data`, line 2: `happiness` is ``, exp"),
        (_edit_csv("fer0000000.png,1,9,0,", "fer0000000.png,"), "data`, line 2: 9 fields, expected 12"),
    ],
)
def test_damage_is_named(
    tmp_path: Path, ferplus_folder: Path, damage: Callable[[Path], None], named: str
) -> None:
    folder = shutil.copytree(ferplus_folder, tmp_path / "data")
    damage(folder)
    with pytest.raises(DataError, match=named):
        load_ferplus(folder)


def test_missing_path_and_broken_zip_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist; expected the data set"):
        load_ferplus(tmp_path / "nowhere.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK but no zip")
    with pytest.raises(DataError, match="neither a folder nor a readable zip"):
        load_ferplus(tmp_path / "broken.zip")


def test_damaged_member_of_a_zip_is_named(tmp_path: Path, ferplus_zip: Path) -> None:
    copy = tmp_path / "damaged.zip"
    data = bytearray(ferplus_zip.read_bytes())
    with zipfile.ZipFile(ferplus_zip) as archive:
        info = archive.getinfo("FERPlus/FER2013Test/fer0000130.png")
    data[info.header_offset + 200] ^= 0xFF  # inside its bytes: the check sum fails
    copy.write_bytes(data)
    with pytest.raises(DataError, match=r"fer0000130.png` .* cannot be read"):
        load_ferplus(copy)
