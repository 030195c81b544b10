"""A small CK+ in the Kaggle layout: photo crops whose class is drawn on them as a dark band."""

import zipfile
from pathlib import Path

import cv2
import numpy as np

from fer_training.data.ckplus import CLASSES

from .conftest import make_faces

SUBJECTS, FRAMES = 8, 3


def write_ckplus(path: Path, photos: list[Path]) -> Path:
    """A zip of seven classes x eight people x one sequence of three frames."""
    faces = iter(make_faces(photos, len(CLASSES) * SUBJECTS * FRAMES, seed=5))
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(CLASSES):
            for subject in range(SUBJECTS):
                for frame in range(FRAMES):
                    face = next(faces)[0].copy()
                    face[4 + 6 * number : 8 + 6 * number, 4:44] = np.random.default_rng(number).integers(20)
                    file = f"CK+48/{name}/S{10 + subject:03}_{1 + number:03}_{frame:08}.png"
                    archive.writestr(file, cv2.imencode(".png", face)[1].tobytes())
        archive.writestr("landmarks.csv", "not read by protocols")
    return path
