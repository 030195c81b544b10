"""Where weights come from, as the card says it."""

from pathlib import Path

import pytest

from fer_training.data.prepare import is_prepared, prepare
from fer_training.errors import DataError
from fer_training.release.provenance import LICENCE, own_provenance, voted_provenance


@pytest.mark.parametrize(
    ("prepared", "weights", "teachers", "data", "notes"),
    [
        (False, None, 0, "less the pixel twins", "Started from random weights; no other data, no teacher."),
        (True, None, 2, "less exact and near twins", "no other data, 2 teachers, trained on the same data."),
        (True, "base.safetensors", 0, "less exact and near twins", "Started from `base.safetensors`; "),
    ],
)
def test_weights_from_ferplus(
    *, prepared: bool, weights: str | None, teachers: int, data: str, notes: str
) -> None:
    provenance = voted_provenance(prepared=prepared, weights=weights, teachers=teachers)
    assert provenance.data[0].startswith("FER+")
    assert data in provenance.data[0]
    assert notes in provenance.notes
    assert provenance.licence == LICENCE


def test_weights_of_own_pictures_name_no_ferplus_but_what_they_started_from() -> None:
    assert own_provenance("mine", 120, None).data == ("120 pictures of `mine`",)
    assert (
        own_provenance("mine", 120, "default.safetensors")
        .data[0]
        .startswith("whatever `default.safetensors`")
    )


def test_prepared_data_are_known(ferplus_folder: Path, tmp_path: Path) -> None:
    prepare(ferplus_folder, tmp_path / "prepared.zip")
    assert is_prepared(tmp_path / "prepared.zip")
    assert not is_prepared(ferplus_folder)
    with pytest.raises(DataError, match=r"nowhere\.zip"):
        is_prepared(tmp_path / "nowhere.zip")
