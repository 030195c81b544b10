"""A small FER+ made of two real faces under changing light, framing and noise."""

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.models import PACKAGED_LANDMARKS
from fer_gateway.vision.align import box_matrix, centred, warp
from fer_gateway.vision.cascade import HaarDetector
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Points
from fer_training.data.ferplus import FACE_PX, FOLDERS, PARTS, VOTE_COLUMNS
from fer_training.landmarks.data import COLUMNS

FRAME_SCALE = 1.1
"""Frame side over Haar box side of the faces below, before jitter."""

ROWS = {"train": 96, "public": 24, "private": 24}

Grey = NDArray[np.uint8]


def make_faces(photos: list[Path], count: int, seed: int) -> list[tuple[Grey, Points]]:
    """`count` faces of 48 x 48 px, in turn from each photo, cut about its Haar box and changed at random.

    With their points, continuous edges, as the packaged landmark model sees them in the whole photo.
    """
    random = np.random.default_rng(seed)
    greys = [decode_grey(photo.read_bytes()) for photo in photos]
    boxes = [HaarDetector().detect(grey)[0] for grey in greys]
    model = LandmarkModel.open(PACKAGED_LANDMARKS)
    located = [model.locate(grey, [box])[0].points for grey, box in zip(greys, boxes, strict=True)]
    faces = []
    for index in range(count):
        grey, box = greys[index % len(photos)], boxes[index % len(photos)]
        side = box.side * FRAME_SCALE * np.exp(random.normal(0, 0.03))
        x, y = np.array(box.centre) + random.normal(0, 0.02, 2) * side
        frame = Box(x - side / 2, y - side / 2, side, side)
        face = warp(grey, centred(box_matrix(frame, FACE_PX)), FACE_PX)
        lit = face * random.uniform(0.8, 1.1) + random.uniform(-20, 20) + random.normal(0, 3, face.shape)
        points = (located[index % len(photos)] - (frame.x, frame.y)) * FACE_PX / side
        faces.append((lit.clip(0, 255).astype(np.uint8), points))
    return faces


def write_ferplus(folder: Path, photos: list[Path]) -> Path:
    """The FERPlus layout: faces of the first photo are voted happiness, those of the second neutral."""
    happy = [1, 9, 0, 0, 0, 0, 0, 0, 0, 0]
    calm = [8, 0, 0, 2, 0, 0, 0, 0, 0, 0]
    usages = {part: usage for usage, part in PARTS.items()}
    pointed = [["image", "score", "spread_px", *(f"{name}_{axis}" for name in COLUMNS for axis in "xy")]]
    with (folder / "fer2013new.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Usage", "Image name", *VOTE_COLUMNS])
        number = 0
        for seed, (part, rows) in enumerate(ROWS.items()):
            (folder / FOLDERS[part]).mkdir()
            for index, (face, points) in enumerate(make_faces(photos, rows, seed)):
                name = f"fer{number:07d}.png"
                cv2.imwrite(str(folder / FOLDERS[part] / name), face)
                writer.writerow([usages[part], name, *(happy, calm)[index % 2]])
                pointed.append([name, "0.9", "0.5", *(f"{value - 0.5:.2f}" for value in points.flat)])
                number += 1
        writer.writerow(["Training", "", *[0] * 10])  # FER+ has rows of removed images
    with (folder / "landmarks.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(pointed)
    return folder


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Networks of seconds gain nothing from more, and lose minutes to waiting where cores are busy."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def ferplus_folder(tmp_path_factory: pytest.TempPathFactory, astronaut: Path, grace_hopper: Path) -> Path:
    """The small FER+ as a folder; read only."""
    return write_ferplus(tmp_path_factory.mktemp("ferplus"), [astronaut, grace_hopper])


@pytest.fixture(scope="session")
def ferplus_zip(tmp_path_factory: pytest.TempPathFactory, ferplus_folder: Path) -> Path:
    """The same below one top folder of a zip file."""
    path = tmp_path_factory.mktemp("archive") / "ferplus.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in ferplus_folder.rglob("*"):
            archive.write(file, Path("FERPlus") / file.relative_to(ferplus_folder))
    return path


@pytest.fixture(scope="session")
def tiny_config_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of seconds."""
    path = tmp_path_factory.mktemp("configs") / "tiny.toml"
    path.write_text(
        "epochs = 4\nbatch_size = 16\nlearning_rate = 5e-3\nwarmup_epochs = 0.5\nema_decay = 0.5\n"
        "[model]\nimage_size = 32\nwidth = 0.25\n"
        "vit_dim = 16\nvit_depth = 1\nvit_heads = 2\nfused_dim = 16\n",
        encoding="utf-8",
    )
    return path
