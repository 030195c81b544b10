"""Scenes with known faces, and what is counted on them."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fer_gateway.vision.detect import FaceDetector
from fer_gateway.vision.geometry import Box, intersection_over_union
from fer_training.cli import main
from fer_training.commands.detection import search_line, table
from fer_training.detection import pictures
from fer_training.detection.measure import (
    REFERENCE,
    UPRIGHT,
    Measurement,
    groups_of,
    matched,
    measure,
    ways_to_look,
)
from fer_training.detection.pictures import GROUNDS, Material, load_material
from fer_training.detection.scenes import SHARES, SIDES_PX, SMALL_SIDES_PX, Scene, make_scene
from fer_training.detection.search import measure_search
from fer_training.errors import DataError

DATA = Path(__file__).parents[3] / "shared" / "data" / "ferplus.zip"


@pytest.fixture(scope="module")
def material() -> Material:
    return load_material(None, "test")


@pytest.fixture(scope="module")
def scenes(material: Material) -> list[Scene]:
    return [make_scene(material, 1, index) for index in range(60)]


def test_the_same_seed_gives_the_same_scene(material: Material) -> None:
    first, again, other = make_scene(material, 0, 3), make_scene(material, 0, 3), make_scene(material, 1, 3)
    assert first.faces == again.faces
    assert np.array_equal(first.grey, again.grey)
    assert other.faces != first.faces


def test_faces_lie_inside_apart_and_in_the_promised_sizes(scenes: list[Scene]) -> None:
    for scene in scenes:
        height, width = scene.grey.shape
        assert (width, height) in ((640, 480), (1280, 720))
        low, high = SMALL_SIDES_PX if scene.condition == "small" else SIDES_PX
        for face in scene.faces:
            assert min(face.x, face.y, width - face.x - face.width, height - face.y - face.height) > 0
            assert low <= face.side <= high
        assert bool(scene.faces) == (scene.condition != "empty")
        pairs = combinations(scene.faces, 2)
        assert all(intersection_over_union(first, second) == 0 for first, second in pairs)


def test_every_condition_comes(scenes: list[Scene]) -> None:
    assert {scene.condition for scene in scenes} == set(SHARES) - {"turned"}  # photos cannot tell who turns
    assert sum(SHARES.values()) == pytest.approx(1)
    dark = [scene.grey.mean() for scene in scenes if scene.condition == "dark"]
    upright = [scene.grey.mean() for scene in scenes if scene.condition == "upright"]
    assert max(dark) < np.mean(upright) / 2


def test_the_material(material: Material) -> None:
    assert len(material.grounds) == len(GROUNDS) + 2
    assert len(material.small) == 100
    assert {portrait.image.shape for portrait in material.small} == {(25, 25)}
    assert {portrait.image.shape for portrait in material.faces} == {(48, 48)}


def test_without_the_pictures_of_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pictures of `skimage`; install `fer-gateway\[train\]`"):
        load_material(None, "test")


@pytest.mark.parametrize(
    ("boxes", "found", "false"),
    [
        ([], [False, False], 0),
        ([Box(0, 0, 100, 100), Box(200, 0, 50, 50)], [True, True], 0),
        ([Box(10, 10, 100, 100)], [True, False], 0),
        ([Box(60, 0, 100, 100)], [False, False], 1),
        ([Box(0, 0, 100, 100), Box(2, 2, 100, 100)], [True, False], 1),  # a duplicate is a false alarm
        ([Box(0, 0, 60, 60)], [False, False], 1),  # a part of a face is not the face
    ],
)
def test_matching(boxes: list[Box], found: list[bool], false: int) -> None:
    assert matched([Box(0, 0, 100, 100), Box(200, 0, 50, 50)], boxes) == (found, false)


@pytest.mark.parametrize(
    ("side", "condition", "groups"),
    [
        (60, "upright", ["upright, 40 to 80 px"]),
        (80, "upright", ["upright, 80 to 120 px", UPRIGHT]),
        (239, "photo", ["upright, 180 to 240 px", UPRIGHT]),
        (100, "dark", ["dark"]),
        (30, "small", ["small"]),
    ],
)
def test_groups(side: float, condition: str, groups: list[str]) -> None:
    assert groups_of(Box(0, 0, side, side), condition) == groups


def test_counting() -> None:
    face = Box(10, 10, 100, 100)
    grey = np.zeros((480, 640), np.uint8)
    seen = [Scene(grey, (face,), "upright"), Scene(grey, (face,), "dark"), Scene(grey, (), "empty")]
    measurement = measure(seen, {"always": lambda _: [face], "never": lambda _: []})
    assert measurement.recall("always", UPRIGHT) == 1
    assert measurement.recall("never", UPRIGHT) == 0
    assert measurement.recall("always", "rotated") == 0
    assert measurement.false_per_picture("always") == pytest.approx(1 / 3)
    assert measurement.false_per_picture("always", ["empty"]) == 1
    assert measurement.false_per_picture("never") == 0
    assert measurement.relative_time("always", "always") == 1


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "detection.json"
    assert main(["detection", "--scenes", "3", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"| {REFERENCE} |" in printed
    assert "`search` finds" in printed
    assert main(["detection", "--scenes", "3", "--json", "-"]) == 0
    again = json.loads(capsys.readouterr().out)
    written = json.loads(path.read_text("utf-8"))
    assert written["faces"] == again["faces"]
    assert written["ways"][REFERENCE]["recall"] == again["ways"][REFERENCE]["recall"]


def targets_are_met(measurement: Measurement, way: str) -> None:
    scenes = ("upright", "photo", "empty")
    report = table(measurement)
    assert measurement.recall(way, UPRIGHT) >= measurement.recall(REFERENCE, UPRIGHT), report
    alarms = measurement.false_per_picture(REFERENCE, scenes)
    assert measurement.false_per_picture(way, scenes) <= alarms / 2, report
    assert measurement.relative_time(way, REFERENCE, ("upright", "photo")) <= 1 / 3, report


def test_search_finds_known_faces_and_no_others(scenes: list[Scene]) -> None:
    search = measure_search(scenes[:30], FaceDetector())
    assert search.faces >= 10
    assert search.found >= 0.9, search_line(search)
    assert search.false == 0
    assert search.relative_time < 0.25


@pytest.mark.slow
def test_targets_on_ferplus() -> None:
    """Recall, false alarms and time on upright faces of 80 to 240 px, against OpenCV's plain scan."""
    if not DATA.exists():
        pytest.skip(f"no FER+ at `{DATA}`")
    material = load_material(DATA, "validation")
    measurement = measure((make_scene(material, 4, index) for index in range(120)), ways_to_look())
    for way in ("single picture", "proposals", "first look", "all looks"):
        targets_are_met(measurement, way)
    assert measurement.recall("proposals", UPRIGHT) >= measurement.recall("all looks", UPRIGHT)
    assert measurement.recall("single picture", UPRIGHT) >= measurement.recall("proposals", UPRIGHT)
    assert measurement.relative_time("proposals", REFERENCE) < 0.15
