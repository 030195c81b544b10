"""`evaluate` on every layout: one JSON object, classes matched by name, faces known from training counted."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage
from numpy.typing import NDArray

from fer_gateway.contract import EMOTIONS
from fer_gateway.models import PACKAGED_MODEL
from fer_training.cli import main
from fer_training.commands.evaluate import part_for
from fer_training.data.datasets import open_data
from fer_training.data.emotion_names import SYNONYMS, shared_classes
from fer_training.data.ferplus import load_ferplus
from fer_training.data.labelled import LabelledFaces, evenly_spread, joined
from fer_training.errors import DataError
from fer_training.measure.known_faces import score_without_twins

from .conftest import ROWS, make_faces

CKPLUS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")


def evaluated(capsys: pytest.CaptureFixture[str], data: Path, *options: str) -> dict[str, Any]:
    """What `evaluate` says about the packaged model."""
    capsys.readouterr()
    assert main(["evaluate", str(PACKAGED_MODEL), "--data", str(data), "--json", "-", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def strangers(count: int) -> NDArray[np.uint8]:
    small = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")[:count]
    return np.array([cv2.resize((255 * face).astype(np.uint8), (48, 48)) for face in small], np.uint8)


def write_classes(folder: Path, faces: dict[str, list[NDArray[np.uint8]]]) -> Path:
    for name, images in faces.items():
        (folder / name).mkdir(parents=True)
        for number, image in enumerate(images):
            cv2.imwrite(str(folder / name / f"{number:03}.png"), image)
    return folder


@pytest.fixture(scope="module")
def smiles(tmp_path_factory: pytest.TempPathFactory, astronaut: Path, grace_hopper: Path) -> Path:
    """Class folders under names of the field: a broad smile is `Happy`, a calm face `calm`."""
    happy = [face for face, _ in make_faces([astronaut], 20, 1)]
    calm = [face for face, _ in make_faces([grace_hopper], 20, 2)]
    return write_classes(tmp_path_factory.mktemp("classes") / "smiles", {"Happy": happy, "calm": calm})


@pytest.fixture(scope="module")
def ckplus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CK+'s layout: seven classes, 14 people in two classes each, three frames a sequence."""
    folder = tmp_path_factory.mktemp("ck") / "ck.zip"
    random = np.random.default_rng(0)
    with zipfile.ZipFile(folder, "w") as archive:
        for person, face in enumerate(strangers(14)):
            for turn in range(2):
                for frame in range(3):
                    noisy = (face + random.normal(0, 2, face.shape)).clip(0, 255).astype(np.uint8)
                    name = f"CK+48/{CKPLUS[(person + turn) % 7]}/S{person:03}_00{turn}_0000000{frame}.png"
                    archive.writestr(name, cv2.imencode(".png", noisy)[1].tobytes())
    return folder


LEAST = {"n", "accuracy", "macro_f1", "ece", "per_class"}


def test_class_folders_under_names_of_the_field(smiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, smiles, "--split", "test", "--rule", "majority", "--flip")
    assert found.keys() >= LEAST
    assert found["n"] == 40  # the model's labels are others: it cannot have been trained on these
    assert found["split"] == "all"
    assert found["accuracy"] >= 0.9
    assert found["flip"]["accuracy"]["value"] >= 0.9
    assert set(found["per_class"]) == {"neutral", "happiness"}
    assert found["shared_classes"]["shared"] == ["neutral", "happiness"]
    assert "contempt" in found["shared_classes"]["only_in_model"]
    assert found["unrestricted"]["accuracy"]["value"] <= found["accuracy"]
    assert found["calibration"]["entropy"] is None  # one label a face says nothing about doubt


def test_the_classes_of_the_report_keep_their_scores(
    smiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(capsys, smiles)
    assert set(found["classes"]) == {"neutral", "happiness"}
    assert {"precision", "recall", "f1"} <= set(found["classes"]["happiness"])
    assert not found["may_be_known"]
    assert evaluated(capsys, smiles, "--split", "train")["may_be_known"]


def test_folders_that_were_renamed_stay_held_out(smiles: Path) -> None:
    data = open_data(smiles)
    assert part_for(EMOTIONS, data, "test") == "all"
    assert part_for(("Calm", "happy"), data, "test") == "test"
    assert part_for(data.classes, data, "test") == "test"


def test_folder_and_zip_and_parts_score_alike(
    tmp_path: Path, smiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "smiles"), "zip", smiles))
    assert evaluated(capsys, archive) == evaluated(capsys, smiles)
    for name in ("Happy", "calm"):
        shutil.copytree(smiles / name, tmp_path / "parts" / "test" / name)
        shutil.copytree(smiles / name, tmp_path / "parts" / "val" / name)
    found = evaluated(capsys, tmp_path / "parts")
    assert (found["n"], found["split"], found["data"]) == (40, "test", "parts test, 2 shared classes")


def test_ckplus_is_scored_on_seven_classes(ckplus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, ckplus)
    assert found["n"] == 14 * 6
    assert len(found["per_class"]) == 7
    assert found["shared_classes"] == {
        "shared": [name for name in EMOTIONS if name != "neutral"],
        "only_in_data": [],
        "only_in_model": ["neutral"],
    }
    assert found["overlap"] is None  # every face is scored: there is no training part beside them
    held = evaluated(capsys, ckplus, "--split", "validation")
    assert held["n"] < 20
    assert held["overlap"] == {"sequence": 0.0, "subject": 0.0, "leaky": False}


def test_a_leaky_split_is_marked(tmp_path: Path, ckplus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By frames: the last of each sequence is tested, the others train, but for two people held out."""
    with zipfile.ZipFile(ckplus) as archive:
        for name in archive.namelist():
            file = (
                tmp_path / ("test" if name.endswith("2.png") else "train") / Path(name).relative_to("CK+48")
            )
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.read(name))
    found = evaluated(capsys, tmp_path)
    assert found["overlap"] == {
        "sequence": pytest.approx(12 / 14),
        "subject": pytest.approx(12 / 14),
        "leaky": True,
    }
    assert main(["evaluate", str(PACKAGED_MODEL), "--data", str(tmp_path), "--twins", "near"]) == 0
    out = capsys.readouterr().out
    assert "LEAKY: of 85.7% of the faces the same sequence is in training" in out
    assert "scored on the shared classes: happiness, surprise" in out
    assert "near twins in training:       24 faces, of 48 there" in out


def test_twins_of_training_are_counted_and_left_out(
    tmp_path: Path, ferplus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(ferplus_folder, tmp_path / "data")
    tested = sorted((folder / "FER2013Test").iterdir())
    for old, new in zip(tested[:3], sorted((folder / "FER2013Train").iterdir())[:3], strict=True):
        shutil.copy(old, new)
    found = evaluated(capsys, folder)
    assert found["n"] == ROWS["private"]
    assert found["data"] == "FER+ test, majority"
    twins = found["twins"]
    assert (twins["with_twin"], twins["without_twin"]) == (3, ROWS["private"] - 3)
    assert twins["training_faces"] == ROWS["train"]
    assert evaluated(capsys, folder, "--split", "all")["n"] == sum(ROWS.values())
    assert evaluated(capsys, folder, "--split", "all")["twins"] is None


def test_scores_without_twins_are_those_of_the_rest(ferplus_folder: Path) -> None:
    parts = load_ferplus(ferplus_folder)
    images = parts["private"].images
    training = np.concatenate([parts["train"].images, images[:6]])
    labels = np.arange(len(images)) % 2
    probabilities = np.eye(2)[labels] * 0.8 + 0.1
    probabilities[:6] = probabilities[:6, ::-1]  # wrong on those that training knows
    found = score_without_twins(images, training, probabilities, labels, "exact")
    assert (found.with_twin, found.accuracy and found.accuracy.value) == (6, 1.0)
    everything = score_without_twins(images, images, probabilities, labels, "exact")
    assert (everything.without_twin, everything.accuracy) == (0, None)


def test_broken_pictures_are_counted(
    tmp_path: Path, smiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(smiles, tmp_path / "smiles")
    (folder / "calm" / "000.png").write_bytes(b"no picture")
    assert main(["evaluate", str(PACKAGED_MODEL), "--data", str(folder)]) == 1
    assert "`calm/000.png`" in capsys.readouterr().err
    found = evaluated(capsys, folder, "--skip-broken")
    assert (found["n"], found["skipped"]) == (39, 1)


@pytest.mark.parametrize("name", sorted(SYNONYMS))
def test_a_synonym_is_the_label_it_means(name: str) -> None:
    assert SYNONYMS[name] in EMOTIONS
    shared = shared_classes((name.upper(), "fear" if SYNONYMS[name] != "fear" else "anger"), EMOTIONS)
    assert shared.labels[shared.label_of[0]] == SYNONYMS[name]


def test_own_labels_match_by_their_own_names() -> None:
    shared = shared_classes(("no", "YES"), ("yes", "maybe", "no"))
    assert shared.labels == ("yes", "no")
    assert dict(shared.label_of) == {0: 1, 1: 0}
    assert shared.only_in_model == ("maybe",)
    seven = ("angry", "happy", "sad")
    assert shared_classes(EMOTIONS, seven).labels == seven  # synonyms on either side
    assert shared_classes(("joy", "happy"), ("happy", "joy")).labels == ("happy", "joy")


@pytest.mark.parametrize(
    ("classes", "labels", "said"),
    [
        (("happy", "1"), EMOTIONS, r"the class `1` of the data is no label of the model .*known name.*joy"),
        (("happy", "joy"), EMOTIONS, "two classes of the data, one of them `joy`, are `happiness`"),
        (("happy", "contempt"), ("happiness", "sadness"), "fewer than two classes are shared"),
    ],
)
def test_classes_that_cannot_be_scored_are_named(
    classes: tuple[str, ...], labels: tuple[str, ...], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        shared_classes(classes, labels)


def test_faces_and_probabilities_follow_the_order_of_the_model() -> None:
    classes, labels = ("contempt", "happy", "neutral"), ("neutral", "happiness")
    faces = LabelledFaces(
        images=np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8),
        targets=np.array([[0.6, 0.3, 0.1], [0.2, 0.6, 0.2], [0.0, 0.3, 0.7]], np.float32),
        labels=np.array([0, 1, 2]),
        frames=np.zeros((3, 1, 2, 3)),
        classes=classes,
        names=("a", "b", "c"),
    )
    shared = shared_classes(classes, labels)
    scored = shared.faces(faces)
    assert scored.names == ("b", "c")
    assert scored.labels.tolist() == [1, 0]
    np.testing.assert_allclose(scored.targets, [[0.25, 0.75], [0.7, 0.3]], atol=1e-6)
    placed = shared_classes(classes, EMOTIONS[:3]).in_model(faces)
    assert placed.classes == EMOTIONS[:3]
    assert placed.labels.tolist() == [1, 0]
    np.testing.assert_allclose(placed.targets, [[0.25, 0.75, 0], [0.7, 0.3, 0]], atol=1e-6)
    wide = shared_classes(("happy", "neutral"), EMOTIONS).restricted(np.full((2, 8), 1 / 8))
    np.testing.assert_allclose(wide, 0.5)


def test_the_part_for_data_without_parts(smiles: Path, ferplus_folder: Path) -> None:
    folders, ferplus = open_data(smiles), open_data(ferplus_folder)
    assert part_for(EMOTIONS, folders, "test") == "all"
    assert part_for(("Happy", "calm"), folders, "test") == "test"  # it may have been trained on them
    assert part_for(EMOTIONS, folders, "validation") == "validation"
    assert part_for(("a", "b"), ferplus, "test") == "test"


@pytest.mark.parametrize(("total", "count"), [(10, 3), (10, 10), (5, 9), (3153, 2000), (7, 1)])
def test_some_faces_are_spread_from_first_to_last(total: int, count: int) -> None:
    rows = evenly_spread(total, count)
    assert len(set(rows.tolist())) == min(total, count)
    assert rows[0] == 0
    if count > 1:
        assert rows[-1] == total - 1
        assert np.ptp(np.diff(rows)) <= 1


def test_parts_are_joined_in_order(smiles: Path) -> None:
    data = open_data(smiles)
    parts = [data.split(part, "majority", twins=True) for part in ("train", "validation", "test")]
    whole = joined(parts)
    assert len(whole) == 40
    assert whole.names == tuple(name for part in parts for name in part.names)
    np.testing.assert_array_equal(whole[len(parts[0]) :].images[0], parts[1].images[0])
