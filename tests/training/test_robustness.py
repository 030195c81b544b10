"""Spoilt faces: spoilt as named and no more; and the limits that are read off them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_MODEL
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.quality import Quality, cut_patch, edge_steepness
from fer_training.cli import main
from fer_training.data.ferplus import load_ferplus
from fer_training.measure.disturb import DISTURBANCES
from fer_training.measure.robustness import CARD_LEVELS, Answers, Bin, Watch, bins_of, limit_of, reference_of


@pytest.fixture(scope="module")
def face(ferplus_folder: Path) -> np.ndarray:
    image: np.ndarray = load_ferplus(ferplus_folder)["public"].images[0]
    return image


def spoilt(name: str, level: float, image: np.ndarray, seed: int = 0) -> tuple[np.ndarray, float]:
    """The visible part of the face, and which share of it is visible."""
    scene = DISTURBANCES[name].disturb(image, level, np.random.default_rng(seed))
    height, width = scene.grey.shape
    visible = scene.frame.clipped(width, height)
    return cut_patch(scene.grey, visible, scene.frame.side), visible.area / scene.frame.area


@pytest.mark.parametrize(
    ("name", "level", "least", "most"),
    [("dark", 0.2, 0.18, 0.22), ("bright", 1.5, 1.2, 1.55), ("pale", 0.2, 0.97, 1.03)],
)
def test_light(face: np.ndarray, name: str, level: float, least: float, most: float) -> None:
    patch, _ = spoilt(name, level, face)
    assert least < patch.mean() / face.mean() < most


def test_pale_keeps_a_share_of_the_contrast(face: np.ndarray) -> None:
    patch, _ = spoilt("pale", 0.2, face)
    assert patch.std() == pytest.approx(0.2 * face.std(), rel=0.1)


@pytest.mark.parametrize(("name", "level"), [("blur", 1.5), ("motion", 5)])
@pytest.mark.parametrize("seed", range(4))
def test_blur(face: np.ndarray, name: str, level: float, seed: int) -> None:
    patch, _ = spoilt(name, level, face, seed)
    assert edge_steepness(patch) < 0.6 * edge_steepness(face)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_cut_takes_a_share_from_each_side_in_turn(face: np.ndarray, share: float) -> None:
    patches = [spoilt("cut", share, face, seed) for seed in range(12)]
    assert all(visible == pytest.approx(1 - share, abs=0.02) for _, visible in patches)
    gone = round(48 * share)
    rests = (face[gone:], face[: 48 - gone], face[:, gone:], face[:, : 48 - gone])
    kept = {
        index
        for patch, _ in patches
        for index, rest in enumerate(rests)
        if patch.shape == rest.shape and (patch == rest).all()
    }
    assert kept == {0, 1, 2, 3}


@pytest.mark.parametrize("name", sorted(DISTURBANCES))
def test_a_disturbance_is_the_same_each_time_and_leaves_the_face_as_it_was(
    face: np.ndarray, name: str
) -> None:
    before = face.copy()
    for level in DISTURBANCES[name].levels:
        first, again = (
            DISTURBANCES[name].disturb(face, level, np.random.default_rng(5)).grey for _ in range(2)
        )
        assert first.dtype == np.uint8
        np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(face, before)


def test_noise_is_as_strong_as_it_says(face: np.ndarray) -> None:
    grey = np.full_like(face, 128)
    scene = DISTURBANCES["noise"].disturb(grey, 20, np.random.default_rng(0))
    assert scene.grey[24:72, 24:72].std() == pytest.approx(20, rel=0.08)


def test_jpeg_loses_more_at_lower_quality(face: np.ndarray) -> None:
    scenes = [
        DISTURBANCES["jpeg"].disturb(face, quality, np.random.default_rng(0)) for quality in (100, 90, 30)
    ]
    plain = scenes[0].grey.astype(float)
    small, large = (np.abs(scene.grey - plain).mean() for scene in scenes[1:])
    assert 0 < small < large / 2
    assert {scene.frame for scene in scenes} == {Box(48, 48, 96, 96)}


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_a_covered_face_is_covered_by_that_share(face: np.ndarray, share: float) -> None:
    places = []
    for seed in range(20):
        scene = DISTURBANCES["covered"].disturb(face, share, np.random.default_rng(seed))
        changed = scene.grey[24:72, 24:72] != face
        assert changed.mean() == pytest.approx(share, abs=0.06)
        places.append(np.argwhere(changed).mean(axis=0))
    assert np.ptp(places, axis=0).min() > 10  # here and there


def answers(values: list[float], right: list[bool]) -> Answers:
    qualities = tuple(Quality(value, 0.4, 0.5, 0.2, aligned=True) for value in values)
    return Answers(qualities, np.array(right), np.full(len(values), 0.9))


def test_a_limit_is_read_off_the_bins() -> None:
    """Right are 20 % below 10 px, 50 % up to 20, 90 % beyond."""
    values = np.concatenate([np.full(100, 5.0), np.full(100, 15.0), np.full(100, 25.0), np.full(100, 35.0)])
    right = np.concatenate([np.arange(100) % 10 < share for share in (2, 5, 9, 9)])
    found = answers(values.tolist(), right.tolist())
    watch = Watch("size_px", (), (0, 10, 20, 30, 40))
    bins = bins_of(watch, found, 0.5)
    assert [piece.faces for piece in bins] == [100] * 4
    assert [piece.accuracy for piece in bins] == pytest.approx([0.2, 0.5, 0.9, 0.9])
    assert bins[0].error_kept == pytest.approx(0.8)
    assert reference_of(watch, found) == pytest.approx(0.9)
    assert limit_of(watch, bins, 0.9) == 20
    assert limit_of(watch, bins, 0.25) is None
    upside_down = Watch("size_px", (), (0, 10, 20, 30, 40), low_is_bad=False)
    assert limit_of(upside_down, [Bin(0, 10, 99, 0.9, 0), Bin(10, 20, 99, 0.5, 0)], 0.9) == 10


def test_few_faces_make_no_bin() -> None:
    found = answers([5.0] * 49 + [15.0] * 50, [True] * 99)
    assert [piece.low for piece in bins_of(Watch("size_px", (), (0, 10, 20)), found, 0.5)] == [10]


def test_the_command_prints_each_disturbance(
    ferplus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["robustness", str(PACKAGED_MODEL), "--data", str(ferplus_folder), "--faces", "4"]) == 0
    out = capsys.readouterr().out
    rows = [line.split()[0] for line in out.splitlines() if line and not line.startswith(" ")]
    assert [name for name in dict.fromkeys(rows) if name in DISTURBANCES] == list(DISTURBANCES)
    assert "as they are                   4" in out
    assert "plausible" in out


def test_the_card_keeps_the_summary_of_the_test_part(
    ferplus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.onnx"
    shutil.copy(PACKAGED_MODEL, path)
    before = EmotionModel.open(path).card
    assert main(["robustness", str(path), "--data", str(ferplus_folder), "--faces", "4", "--card"]) == 0
    card = EmotionModel.open(path).card
    assert card.robustness is not None
    assert "test" in card.robustness.data
    assert card.robustness.faces == 4
    expected = [(name, level) for name, levels in CARD_LEVELS.items() for level in levels]
    assert [(point.disturbance, point.strength) for point in card.robustness.points] == expected
    for point in card.robustness.points:
        lost = 100 * (card.robustness.accuracy - point.accuracy)
        assert point.loss_points == pytest.approx(lost, abs=0.02)
    assert card.model_copy(update={"robustness": before.robustness}) == before
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(expected)
