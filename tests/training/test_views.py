"""What the network sees in training: views of faces, and their batches."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fer_gateway.contract import FaceSpec, Framing
from fer_gateway.vision.align import Grey, box_matrix, cut_face
from fer_gateway.vision.geometry import Box
from fer_training.crops.alignment import whole_frames
from fer_training.crops.augment import AugmentConfig, plain_view, random_view
from fer_training.crops.batches import TrainingBatches, plain_crops, to_pixels
from fer_training.data.ferplus import load_ferplus

STILL = AugmentConfig(
    zoom=0, rotation_degrees=0, shift=0, flip=False, brightness=0, contrast=0, blur=0, noise=0, erase=0
)


WHOLE = box_matrix(Box(0, 0, 48, 48), 1)
"""The whole picture of a face of 48 x 48 px."""


@pytest.fixture(scope="module")
def face(ferplus_folder: Path) -> Grey:
    return np.array(load_ferplus(ferplus_folder)["train"].images[0])


@pytest.mark.parametrize("size_px", [32, 48, 64, 112])
def test_plain_view_is_the_crop_of_serving(face: Grey, size_px: int) -> None:
    framing = Framing(scale=1.0, offset_x=0.0, offset_y=0.0)
    spec = FaceSpec(size_px=size_px, framing=framing, cascade_sha256="0" * 64)
    np.testing.assert_array_equal(plain_view(face, WHOLE, size_px), cut_face(face, Box(0, 0, 48, 48), spec))


def test_plain_view_of_the_same_size_is_the_face(face: Grey) -> None:
    np.testing.assert_array_equal(plain_view(face, WHOLE, 48), face)


def test_without_any_step_a_random_view_is_the_plain_one(face: Grey) -> None:
    view = random_view(face, WHOLE, 64, STILL, np.random.default_rng(0))
    inside = slice(1, -1)  # the outermost pixels mix with whatever lies outside
    np.testing.assert_array_equal(view[inside, inside], plain_view(face, WHOLE, 64)[inside, inside])


def test_flip_mirrors_about_the_middle(face: Grey) -> None:
    config = STILL.model_copy(update={"flip": True})
    views = [random_view(face, WHOLE, 48, config, np.random.default_rng(seed)) for seed in range(8)]
    mirrored = [np.array_equal(view, face[:, ::-1]) for view in views]
    assert any(mirrored)
    assert all(flipped or np.array_equal(view, face) for view, flipped in zip(views, mirrored, strict=True))


@pytest.mark.parametrize(
    "change",
    [
        {"zoom": 0.3},
        {"rotation_degrees": 20.0},
        {"shift": 0.2},
        {"brightness": 0.4},
        {"contrast": 0.5},
        {"blur": 1.0},
        {"noise": 1.0},
        {"erase": 1.0},
        {"surroundings": 1.0, "zoom": 0.4},
    ],
)
def test_each_step_changes_the_view_and_repeats_with_its_seed(face: Grey, change: dict[str, float]) -> None:
    config = STILL.model_copy(update=change)
    first, again, other = (
        random_view(face, WHOLE, 48, config, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, face)


def test_brightness_moves_the_mean_within_its_share(face: Grey) -> None:
    config = STILL.model_copy(update={"brightness": 0.1})
    dim = (face // 4 + 96).astype(np.uint8)  # far from black and white, so that nothing is cut off
    moves = [
        random_view(dim, WHOLE, 48, config, np.random.default_rng(seed)).mean() - dim.mean()
        for seed in range(40)
    ]
    assert max(np.abs(moves)) <= 0.1 * 255 + 1
    assert max(moves) > 5
    assert min(moves) < -5


def test_pixels_are_normalised_to_minus_one_to_one() -> None:
    crops = np.array([[[0, 255], [51, 204]]], np.uint8)
    pixels = to_pixels(crops, torch.device("cpu"))
    torch.testing.assert_close(pixels, torch.tensor([[[[-1.0, 1.0], [-0.6, 0.6]]]]))


def test_an_epoch_repeats_and_the_next_differs(ferplus_folder: Path) -> None:
    images = load_ferplus(ferplus_folder)["train"].images[:20]
    targets = np.eye(20, 8, dtype=np.float32)
    batches = TrainingBatches(images, whole_frames(images), targets, 32, 6, AugmentConfig(), seed=5)
    epochs = [list(batches.epoch(epoch)) for epoch in (0, 0, 1)]
    assert [len(epoch) for epoch in epochs] == [3, 3, 3] == [len(batches)] * 3
    for (crops, shares), (same_crops, same_shares) in zip(epochs[0], epochs[1], strict=True):
        assert crops.shape == (6, 32, 32)
        np.testing.assert_array_equal(crops, same_crops)
        np.testing.assert_array_equal(shares, same_shares)
    assert not np.array_equal(epochs[0][0][0], epochs[2][0][0])


def test_plain_crops_keep_the_order(ferplus_folder: Path) -> None:
    images = load_ferplus(ferplus_folder)["private"].images[:3]
    np.testing.assert_array_equal(plain_crops(images, whole_frames(images), 48), images)
