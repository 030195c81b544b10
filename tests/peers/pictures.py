"""What all libraries look at: a clip of two faces from photos, and pictures with one face of 80 px each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
import skimage
from numpy.typing import NDArray

from fer_gateway.vision.geometry import Box
from fer_training.data.datasets import open_data
from fer_training.data.labelled import evenly_spread
from fer_training.detection.pictures import load_grounds
from fer_training.detection.scenes import make_single

Pixels = NDArray[np.uint8]
"""H x W x 3, blue first."""

WIDTH_PX, HEIGHT_PX = 640, 480
SIDE_PX = 80.0
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photo and the square about its face, in its pixels."""

    pixels: Pixels
    face: Box


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG file of 640 x 480 px, and where its one face is."""

    path: Path
    face: Box


def portraits() -> tuple[Portrait, Portrait]:
    """Two photos of people that come with packages, each with a face marked by hand."""
    hopper = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    astronaut = Path(skimage.__file__).parent / "data" / "astronaut.png"
    return (
        Portrait(_read(hopper), Box(158, 105, 215, 215)),
        Portrait(_read(astronaut), Box(165, 60, 120, 120)),
    )


def clip(folder: Path, frames: int) -> list[Picture]:
    """A camera's frames: each person for half of them, moving 1 px a frame, with the noise of a sensor.

    Slow enough for `human` to take neighbours for alike, as it does with what stands still: more makes its
    cache useless.
    """
    random = np.random.default_rng(1)
    pictures = []
    for number in range(frames):
        portrait = portraits()[number * 2 // frames]
        phase = number % 30
        shift = min(phase, 30 - phase)
        pixels, face = _placed(portrait, 150.0, 200.0 + shift, 150.0)
        noisy = pixels + random.normal(0, 3, pixels.shape)
        pictures.append(_write(folder / f"clip-{number:03}.jpg", noisy, face))
    return pictures


def from_photos(folder: Path, count: int) -> list[Picture]:
    """Small faces: the two photos, mirrored or not, lit differently, in random places; faces are 80 px."""
    random = np.random.default_rng(2)
    pictures = []
    for number in range(count):
        portrait = portraits()[number % 2]
        if random.random() < 0.5:
            portrait = _mirrored(portrait)
        x, y = random.uniform(40, WIDTH_PX - 120), random.uniform(40, HEIGHT_PX - 120)
        pixels, face = _placed(portrait, SIDE_PX, x, y)
        lit = pixels * random.uniform(0.5, 1.2) + random.normal(0, 4, pixels.shape)
        pictures.append(_write(folder / f"photo-{number:03}.jpg", lit, face))
    return pictures


def from_data(folder: Path, data: Path, count: int) -> list[Picture]:
    """Small faces: of the test part of a data set, evenly spread, enlarged to 80 px, in pictures."""
    faces = open_data(data).split("test", "majority", twins=True).images
    grounds = load_grounds()
    pictures = []
    for number, row in enumerate(evenly_spread(len(faces), count)):
        scene = make_single(faces[row], grounds, (SIDE_PX, SIDE_PX), np.random.default_rng((0, number)))
        pictures.append(_write(folder / f"data-{number:03}.jpg", scene.grey, scene.faces[0]))
    return pictures


def is_found(box: Box, face: Box) -> bool:
    """Whether a box, whatever its framing, means this face: its centre lies in it, its size fits within 2."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    inside = face.x < x < face.x + face.width and face.y < y < face.y + face.height
    return inside and 0.5 < (box.width + box.height) / 2 / face.width < 2.0


def _placed(portrait: Portrait, side_px: float, x: float, y: float) -> tuple[NDArray[np.float32], Box]:
    """The photo so that its face has this side and its corner lies at (x, y); edges go on beyond it."""
    scale = side_px / portrait.face.width
    matrix = np.array(
        [[scale, 0, x - scale * portrait.face.x], [0, scale, y - scale * portrait.face.y]], np.float64
    )
    small = (
        cv2.GaussianBlur(portrait.pixels, (0, 0), max(0.01, 0.4 / scale)) if scale < 1 else portrait.pixels
    )
    pixels = cv2.warpAffine(small, matrix, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(pixels, np.float32), Box(x, y, side_px, side_px)


def _mirrored(portrait: Portrait) -> Portrait:
    width, face = portrait.pixels.shape[1], portrait.face
    flipped = np.ascontiguousarray(portrait.pixels[:, ::-1])
    return Portrait(flipped, Box(width - face.x - face.width, face.y, face.width, face.height))


def _read(path: Path) -> Pixels:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def _write(path: Path, pixels: NDArray[Any], face: Box) -> Picture:
    whole = np.asarray(pixels).round().clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(path), whole, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return Picture(path, face)


def paths(pictures: Sequence[Picture]) -> Iterator[str]:
    """Where they lie."""
    return (str(picture.path) for picture in pictures)
