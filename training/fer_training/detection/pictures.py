"""What scenes are made of: faces with known boxes, and pictures in which there is no human face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Points
from fer_training.data.ferplus import FACE_PX, load_ferplus
from fer_training.data.parts import SPLITS, Split
from fer_training.data.twins import drop_twins
from fer_training.data.votes import keep_by
from fer_training.errors import DataError
from fer_training.landmarks.data import TRUSTED_SCORE, load_points

GROUNDS = (
    "brick.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png", "color.png", "grass.png",
    "gravel.png", "horse.png", "hubble_deep_field.jpg", "ihc.png", "logo.png", "moon.png",
    "motorcycle_left.png", "motorcycle_right.png", "page.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
"""Pictures of scikit-image without a human face, looked through by eye (`chelsea` is a cat; `coins`, with its
portraits, and `camera`, with its photographer, are left out)."""

TURNED = 0.3
"""From here on a face counts as turned: the nose's distance from the middle between the eyes, along the line
through them, over the distance of the eyes (0.3 is about 35 degrees)."""

_PHOTOS: Mapping[str, Box] = {
    "astronaut": Box(177, 66, 95, 95),
    "grace_hopper": Box(150, 100, 235, 235),
}
"""The faces of the two photos, by eye: between the ears, from above the brows to the chin."""

_CLOTHES: Mapping[str, tuple[slice, slice]] = {
    "astronaut": (slice(200, 512), slice(0, 512)),
    "grace_hopper": (slice(400, 600), slice(0, 512)),
}
"""Rows and columns of the photos below their faces: a suit, a uniform with its medals."""

_LFW_FACES = 100


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture (H x W) of one face, which lies in `box` (pixels)."""

    image: Grey
    box: Box


@dataclass(frozen=True, slots=True)
class Material:
    """Portraits to paste, by kind, and grounds to paste them on."""

    faces: Sequence[Portrait]
    turned: Sequence[Portrait]
    """Some of `faces` that look aside; empty where no landmarks tell."""
    photos: Sequence[Portrait]
    small: Sequence[Portrait]
    """Faces of 25 x 25 px."""
    grounds: Sequence[Grey]


def load_material(data: Path | None, split: Split, *, skip_broken: bool = False) -> Material:
    """Faces of one part of FER+ (majority rule, no pixel twins), or without `data` those of the two photos.

    Raises:
        DataError: scikit-image or matplotlib, whose pictures these are, is not installed; see `load_ferplus`.
    """
    photos = _photos()
    portraits = [Portrait(photos[name], box) for name, box in _PHOTOS.items()]
    faces, turned = (
        ([_close_up(portrait) for portrait in portraits], [])
        if data is None
        else _ferplus(data, split, skip_broken=skip_broken)
    )
    return Material(
        faces=faces,
        turned=turned,
        photos=portraits,
        small=_lfw(_skimage() / "lfw_subset.npy"),
        grounds=_grounds(photos),
    )


def load_grounds() -> Sequence[Grey]:
    """Pictures without a human face.

    Raises:
        DataError: see `load_material`.
    """
    return _grounds(_photos())


def _grounds(photos: Mapping[str, Grey]) -> list[Grey]:
    clothes = [np.ascontiguousarray(photos[name][part]) for name, part in _CLOTHES.items()]
    return [_read(_skimage() / name) for name in GROUNDS] + clothes


def _photos() -> dict[str, Grey]:
    files = {
        "astronaut": _skimage() / "astronaut.png",
        "grace_hopper": _package("matplotlib") / "mpl-data" / "sample_data" / "grace_hopper.jpg",
    }
    return {name: _read(path) for name, path in files.items()}


def _skimage() -> Path:
    return _package("skimage") / "data"


def _ferplus(data: Path, split: Split, *, skip_broken: bool) -> tuple[list[Portrait], list[Portrait]]:
    faces = drop_twins(load_ferplus(data, skip_broken=skip_broken))[SPLITS[split]]
    faces = faces[keep_by("majority", faces.votes)]
    rows = load_points(data)
    box = Box(0, 0, FACE_PX, FACE_PX)
    portraits = [Portrait(image, box) for image in faces.images]
    turned = [
        portrait
        for portrait, name in zip(portraits, faces.names, strict=True)
        if name in rows and rows[name][0] >= TRUSTED_SCORE and _turn(rows[name][2:].reshape(5, 2)) >= TURNED
    ]
    return portraits, turned


def _turn(points: Points) -> float:
    eyes = points[1] - points[0]
    return abs(float((points[2] - points[:2].mean(axis=0)) @ eyes / (eyes @ eyes)))


def _close_up(portrait: Portrait) -> Portrait:
    """The face alone, as a FER+ picture shows it."""
    box = portrait.box
    rows, columns = slice(int(box.y), int(box.y + box.height)), slice(int(box.x), int(box.x + box.width))
    image = cv2.resize(portrait.image[rows, columns], (FACE_PX, FACE_PX), interpolation=cv2.INTER_AREA)
    return Portrait(np.asarray(image, np.uint8), Box(0, 0, FACE_PX, FACE_PX))


def _lfw(path: Path) -> list[Portrait]:
    images = (np.load(path)[:_LFW_FACES] * 255).round().astype(np.uint8)
    height, width = images.shape[1:]
    return [Portrait(image, Box(0, 0, width, height)) for image in images]


def _read(path: Path) -> Grey:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"`{path}` cannot be read ({error.strerror}); install its package again") from error
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DataError(f"`{path}` is no readable picture")
    return np.asarray(image, np.uint8)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise DataError(f"the scenes are built from pictures of `{name}`; install `fer-gateway[train]`")
    return Path(spec.origin).parent
