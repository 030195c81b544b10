"""From picture to label: scenes hold the face where they say, scores count what was not found."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_gateway.analyzer import Analyzer
from fer_gateway.faces import Face
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_MODEL
from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.quality import Quality
from fer_training.cli import main
from fer_training.data.datasets import open_data
from fer_training.data.ferplus import load_ferplus
from fer_training.detection.pictures import load_grounds
from fer_training.detection.scenes import make_single
from fer_training.measure.end_to_end import SIDES_PX, Sightings, compare, look_at, own_face


@pytest.fixture(scope="module")
def images(ferplus_folder: Path) -> np.ndarray:
    faces: np.ndarray = load_ferplus(ferplus_folder)["private"].images
    return faces


@pytest.fixture(scope="module")
def grounds() -> Sequence[Grey]:
    return load_grounds()


def face_at(x: float, y: float, side: float) -> Face:
    """A face of this box, in pixels of a picture of 640 x 480."""
    box = Box(x / 640, y / 480, side / 640, side / 480)
    quality = Quality(side, 0.4, 0.5, 0.2, aligned=True)
    return Face(box=box, label="fear", confidence=0.9, probabilities=(0.9, 0.1), quality=quality)


@pytest.mark.parametrize("seed", range(6))
def test_the_face_lies_where_the_scene_says(images: np.ndarray, grounds: Sequence[Grey], seed: int) -> None:
    """Shrunk again, the place in the picture is the face with all its pixels, up to its edges."""

    scene, again = (
        make_single(images[seed], grounds, SIDES_PX, np.random.default_rng(seed)) for _ in range(2)
    )
    np.testing.assert_array_equal(scene.grey, again.grey)
    assert scene.grey.shape == (480, 640)
    (place,) = scene.faces
    assert SIDES_PX[0] <= place.side <= SIDES_PX[1]
    part = scene.grey[
        round(place.y) : round(place.y + place.side), round(place.x) : round(place.x + place.side)
    ]
    small = cv2.resize(part, (48, 48), interpolation=cv2.INTER_AREA).astype(float)
    rim = np.ones((48, 48), np.bool_)
    rim[4:-4, 4:-4] = False
    off = np.abs(small - images[seed])  # by half a pixel, and twice interpolated
    assert off.mean() < 8
    assert off[rim].mean() < 12
    assert np.corrcoef(small[rim], images[seed][rim])[0, 1] > 0.9


@pytest.mark.parametrize(
    ("boxes", "own"),
    [
        ([], None),
        ([(100, 100, 100)], 0),
        ([(140, 100, 100)], 0),  # 0.43
        ([(165, 100, 100)], None),  # 0.21
        ([(124, 124, 51)], 0),  # within it, just over a quarter
        ([(127, 127, 45)], None),
        ([(400, 300, 100), (110, 100, 100), (150, 100, 100)], 1),
    ],
)
def test_a_face_elsewhere_is_not_the_pasted_one(
    boxes: list[tuple[float, float, float]], own: int | None
) -> None:
    faces = [face_at(*box) for box in boxes]
    found = own_face(faces, Box(100, 100, 100, 100), 640, 480)
    assert found == (None if own is None else faces[own])


def test_what_is_not_found_counts_as_wrong() -> None:
    """Class 0 too, which the row of zeros of a missing face would name."""
    found = np.array([True, True, False, False])
    seen = np.array([[0.9, 0.1], [0.2, 0.8], [0, 0], [0, 0]])
    in_place = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    scores = compare("made up", Sightings(found, seen, 2), in_place, np.array([0, 0, 0, 0]))
    assert scores.accuracy.value == 0.25
    assert scores.crop_accuracy.value == 0.75
    assert scores.loss_points.value == 50
    assert scores.loss_points.low < 50 < scores.loss_points.high
    assert scores.not_found == 0.5
    assert scores.accuracy_of_found == 0.5
    assert scores.other_boxes == 0.5


def test_nothing_found_at_all_is_no_error() -> None:
    nothing = Sightings(np.zeros(3, np.bool_), np.zeros((3, 2)), 0)
    scores = compare("made up", nothing, np.array([[0.9, 0.1]] * 3), np.zeros(3, np.int64))
    assert (scores.accuracy.value, scores.not_found, scores.accuracy_of_found) == (0, 1, 0)


def test_faces_of_real_people_are_found_and_read_alike(images: np.ndarray, grounds: Sequence[Grey]) -> None:
    sightings = look_at(Analyzer.open(PACKAGED_MODEL), images[:12], grounds)
    assert sightings.found.sum() >= 10
    np.testing.assert_allclose(sightings.probabilities[sightings.found].sum(axis=1), 1, atol=1e-4)
    assert not sightings.probabilities[~sightings.found].any()


def test_the_command_looks_as_the_gateway_does(
    ferplus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(PACKAGED_MODEL), "--data", str(ferplus_folder), "--end-to-end"]
    assert main([*command, "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)["end_to_end"]
    faces = open_data(ferplus_folder).split("test", "majority", twins=True)
    seen = look_at(Analyzer.open(), faces.images, load_grounds())
    right = seen.found & (seen.probabilities.argmax(axis=1) == faces.labels)
    assert told["accuracy"]["value"] == pytest.approx(right.mean(), abs=1e-4)
    assert told["not_found"] == pytest.approx(1 - seen.found.mean(), abs=1e-4)


def test_the_command_prints_it_beside_the_crops_and_keeps_it_in_the_card(
    ferplus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.onnx"
    shutil.copy(PACKAGED_MODEL, path)
    before = EmotionModel.open(path).card
    command = ["evaluate", str(path), "--data", str(ferplus_folder), "--end-to-end", "6", "--flip", "--card"]
    assert main([*command, "--json", "-"]) == 0
    values = json.loads(capsys.readouterr().out)
    card = EmotionModel.open(path).card
    assert card.end_to_end is not None
    assert values["end_to_end"] == json.loads(card.end_to_end.model_dump_json())
    assert card.end_to_end.faces == 6
    renewed = next(one for one in card.evaluations if one.data == values["data"])
    assert renewed.faces == values["n"] == 24
    assert renewed.calibration is not None
    flipped = next(one for one in card.evaluations if one.data.endswith("mean with the mirror image"))
    assert flipped.accuracy.value == values["flip"]["accuracy"]["value"]
    assert set(values["flip"]) == {"accuracy", "macro_f1", "ece"}
    measured = {renewed.data, flipped.data}
    others = {one.data: one for one in before.evaluations if one.data not in measured}
    assert others
    assert others.items() <= {one.data: one for one in card.evaluations}.items()
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "accuracy, no face is wrong" in out
    assert "intersection over union" in out
