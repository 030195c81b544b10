"""Views made on the device look like those of `random_view`: exactly, or on average where chance rules."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fer_gateway.vision.align import warp
from fer_training.crops.alignment import whole_frames
from fer_training.crops.augment import AugmentConfig, plain_view, random_view
from fer_training.crops.batches import TrainingBatches
from fer_training.crops.device_views import DeviceBatches, Random, _reflected, fits_device_views, random_views
from fer_training.crops.jitter import Jitter
from fer_training.data.ferplus import load_ferplus
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.train import Trainer

from .drawn_faces import EXPRESSIONS, draw_dataset_face

CPU = torch.device("cpu")
OFF = AugmentConfig(
    zoom=0, rotation_degrees=0, shift=0, flip=False, brightness=0, contrast=0, blur=0, noise=0, erase=0
)
VIEWS = 1500
SIZE_PX = 64

Views = NDArray[np.float64]


@pytest.fixture(scope="module")
def faces() -> NDArray[np.uint8]:
    random = np.random.default_rng(2)
    return np.stack([draw_dataset_face(name, random) for name in EXPRESSIONS])


def frames_of(faces: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Frames as alignment leaves them: a little shifted, scaled and turned."""
    random, jitter = np.random.default_rng(4), Jitter(shift=0.1, scale=0.2, degrees=10)
    whole = whole_frames(faces)[:, 0]
    rows = [jitter.draw(random) @ np.vstack([frame, [0, 0, 1]]) for frame in whole]
    return np.array(rows)


def on_device(faces: NDArray[np.uint8], frames: NDArray[np.float64], config: AugmentConfig) -> Views:
    rows = np.arange(VIEWS) % len(faces)
    views = random_views(
        torch.from_numpy(faces[rows]).float()[:, None],
        torch.from_numpy(frames[rows]).float(),
        SIZE_PX,
        config,
        Random(CPU, 7),
    )
    return views[:, 0].double().numpy()


def on_host(faces: NDArray[np.uint8], frames: NDArray[np.float64], config: AugmentConfig) -> Views:
    rows = np.arange(VIEWS) % len(faces)
    made = [
        random_view(faces[row], frames[row], SIZE_PX, config, np.random.default_rng((7, index)))
        for index, row in enumerate(rows)
    ]
    return np.stack(made).astype(np.float64)


def test_an_unchanged_view_is_the_plain_one(faces: NDArray[np.uint8]) -> None:
    frames = whole_frames(faces)[:, 0]
    views = on_device(faces, frames, OFF)[: len(faces)]
    plain = [plain_view(face, frame, SIZE_PX) for face, frame in zip(faces, frames, strict=True)]
    inside = (slice(None), slice(1, -1), slice(1, -1))  # the outermost pixels mix with what lies outside
    assert np.abs(views[inside] - np.stack(plain)[inside]).max() <= 2, "OpenCV counts in 1/32 of a pixel"


@pytest.mark.parametrize(
    "step",
    [
        {},
        {"zoom": 0.3},
        {"rotation_degrees": 30.0},
        {"shift": 0.2},
        {"flip": True},
        {"brightness": 0.3},
        {"contrast": 0.5},
        {"blur": 1.0},
        {"noise": 1.0},
        {"erase": 1.0},
        {"surroundings": 1.0, "zoom": 0.3},
        {name: value for name, value in AugmentConfig().model_dump().items() if name != "surroundings"},
    ],
    ids=lambda step: "+".join(step) or "nothing",
)
def test_views_have_the_mean_and_the_variance_of_the_host(
    faces: NDArray[np.uint8], step: dict[str, float]
) -> None:
    """Of each pixel over many views, and of neighbouring pixels' difference, which blur and noise change."""
    config, frames = OFF.model_copy(update=step), frames_of(faces)
    device, host = on_device(faces, frames, config), on_host(faces, frames, config)
    error = 4 * max(3.0, float(host.std(axis=0).mean())) / np.sqrt(VIEWS)
    assert np.abs(device.mean(axis=0) - host.mean(axis=0)).mean() < error
    assert device.mean() == pytest.approx(host.mean(), abs=error)
    assert device.std(axis=0).mean() == pytest.approx(host.std(axis=0).mean(), rel=0.06, abs=0.3)
    rough = [np.abs(np.diff(views, axis=2)).mean() for views in (device, host)]
    assert rough[0] == pytest.approx(rough[1], rel=0.06)
    assert device.min() >= 0
    assert device.max() <= 255


def test_mirrored_edges_are_opencvs(faces: NDArray[np.uint8]) -> None:
    import cv2

    face, shift = faces[0], 20.0
    matrix = np.array([[1.0, 0.0, shift], [0.0, 1.0, 0.0]])
    expected = warp(face, matrix, 48, border=cv2.BORDER_REFLECT_101)
    columns = _reflected(torch.arange(48.0) - shift, 48).long().numpy()
    np.testing.assert_array_equal(face[:, columns], expected)


def plan(folder: Path, **changes: object) -> TrainingBatches:
    images = load_ferplus(folder)["train"].images[:20]
    targets = np.eye(20, 8, dtype=np.float32)
    whole = TrainingBatches(images, whole_frames(images), targets, 32, 6, AugmentConfig(), seed=5)
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_an_epoch_repeats_and_the_next_differs(ferplus_folder: Path) -> None:
    batches = DeviceBatches.of(plan(ferplus_folder))
    first, again, other = (list(batches.tensors(epoch)) for epoch in (0, 0, 1))
    assert len(first) == len(batches) == 3
    for (pixels, targets), (same, same_targets) in zip(first, again, strict=True):
        assert pixels.shape == (6, 1, 32, 32)
        assert pixels.min() >= -1
        assert pixels.max() <= 1
        assert torch.equal(pixels, same)
        assert torch.equal(targets, same_targets)
    assert not torch.equal(first[0][0], other[0][0])
    faces = [targets.argmax(dim=1) for _, targets in batches.plan.tensors(0)]
    assert all(torch.equal(one, two.argmax(dim=1)) for one, (_, two) in zip(faces, first, strict=True))


def test_processes_see_different_faces_and_views(ferplus_folder: Path) -> None:
    parts = [DeviceBatches.of(plan(ferplus_folder, batch_size=3, rank=rank, processes=2)) for rank in (0, 1)]
    whole = DeviceBatches.of(plan(ferplus_folder))
    for zero, one, both in zip(*(batches.tensors(0) for batches in (*parts, whole)), strict=True):
        torch.testing.assert_close(torch.cat([zero[1], one[1]]), both[1])
        assert not torch.equal(zero[0], one[0])


def test_large_faces_stay_on_the_host(ferplus_folder: Path) -> None:
    assert fits_device_views(plan(ferplus_folder, size_px=24))
    assert not fits_device_views(plan(ferplus_folder, size_px=23))


def test_training_learns_from_them(tmp_path: Path, tiny_config_file: Path, ferplus_folder: Path) -> None:
    from fer_training.data.datasets import open_data
    from fer_training.learning.config import load_config

    config: ExperimentConfig = load_config(tiny_config_file)
    data = open_data(ferplus_folder)
    parts = [data.split(part, "majority", twins=True) for part in ("train", "validation")]
    losses = {}
    for views in ("host", "device"):
        Trainer(config, tmp_path / views, CPU, views=views).fit(parts[0], parts[1])
        lines = (tmp_path / views / "history.jsonl").read_text().splitlines()
        losses[views] = [float(line.split('"loss": ')[1].split(",")[0]) for line in lines]
    assert losses["device"] != losses["host"]
    assert losses["device"][-1] < 0.7 * losses["device"][0]
    assert losses["device"][-1] == pytest.approx(losses["host"][-1], rel=0.25)
