"""Faces made dark, bright, pale, blurred, small, tilted or cut off on purpose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.geometry import Box
from fer_training.crops.surroundings import PAD, plain_surroundings
from fer_training.landmarks.scenes import turned_face

Grey = NDArray[np.uint8]

_NOISE_LEVELS = 2.0
"""Standard deviation of a camera's noise in grey levels, where a picture is made dark or pale."""

_ENLARGED = 2.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture (H x W) and the square that the face's pixels fill; it may reach over the picture's edges."""

    grey: Grey
    frame: Box


Disturb = Callable[[Grey, float, np.random.Generator], Scene]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One way to spoil a face, with the levels to try, the mildest first."""

    disturb: Disturb
    levels: tuple[float, ...]
    unit: str


def plain(image: Grey, _level: float, _random: np.random.Generator) -> Scene:
    """The face amid its repeated edge pixels."""
    return _scene(image)


def darken(image: Grey, gain: float, random: np.random.Generator) -> Scene:
    """Grey levels times `gain`, and noise."""
    return _scene(_noisy(image.astype(np.float64) * gain, random))


def brighten(image: Grey, gain: float, _random: np.random.Generator) -> Scene:
    """Grey levels times `gain`, cut off at white."""
    return _scene(_levels(image.astype(np.float64) * gain))


def fade(image: Grey, share: float, random: np.random.Generator) -> Scene:
    """Differences from the mean times `share`, and noise."""
    return _scene(_noisy((image - image.mean()) * share + image.mean(), random))


def blur(image: Grey, sigma_px: float, _random: np.random.Generator) -> Scene:
    """Out of focus: a Gaussian over the face's 48 pixels."""
    return _scene(_levels(cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)))


def add_noise(image: Grey, sigma_levels: float, random: np.random.Generator) -> Scene:
    """A sensor in the dark: Gaussian noise on each of the face's 48 x 48 pixels."""
    return _scene(_levels(image + random.normal(0, sigma_levels, image.shape)))


def compress(image: Grey, quality: float, _random: np.random.Generator) -> Scene:
    """Twice as large amid its repeated edge pixels, and once through JPEG."""
    scene = _scene(image)
    large = cv2.resize(scene.grey, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return Scene(
        np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8), scene.frame.scaled(_ENLARGED)
    )


def cover(image: Grey, share: float, random: np.random.Generator) -> Scene:
    """Something even before the face: a square of `share` of its area, anywhere within it."""
    side = round(np.sqrt(share) * image.shape[0])
    top, left = random.integers(0, image.shape[0] - side + 1, 2)
    covered = image.copy()
    covered[top : top + side, left : left + side] = random.integers(256)
    return _scene(covered)


def move(image: Grey, length_px: float, random: np.random.Generator) -> Scene:
    """Moved while the picture was taken, along the rows or down the columns."""
    kernel = np.full((1, int(length_px)), 1 / int(length_px), np.float32)
    kernel = kernel if random.random() < 0.5 else kernel.T
    return _scene(_levels(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)))


def shrink(image: Grey, side_px: float, _random: np.random.Generator) -> Scene:
    """As few pixels as a face far away has."""
    side = int(side_px)
    return _scene(np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8))


def tilt(image: Grey, degrees: float, random: np.random.Generator) -> Scene:
    """Turned about the middle to either side, twice as large, which keeps detail; the box stays upright."""
    angle = degrees if random.random() < 0.5 else -degrees
    placed = turned_face(plain_surroundings(image), image.shape[0], angle)
    return Scene(placed.grey, placed.frame)


def cut_off(image: Grey, share: float, random: np.random.Generator) -> Scene:
    """The picture ends within the face, by `share` of its side, at one of the four sides."""
    scene = _scene(image)
    side, missing = image.shape[0], round(share * image.shape[0])
    start, end = round(scene.frame.x) + missing, round(scene.frame.x) + side - missing
    parts = {
        "right": (scene.grey[:, :end], scene.frame),
        "bottom": (scene.grey[:end], scene.frame),
        "left": (scene.grey[:, start:], Box(-missing, scene.frame.y, side, side)),
        "top": (scene.grey[start:], Box(scene.frame.x, -missing, side, side)),
    }
    grey, frame = parts[str(random.choice(list(parts)))]
    return Scene(np.ascontiguousarray(grey), frame)


DISTURBANCES: Mapping[str, Disturbance] = {
    "dark": Disturbance(darken, (0.5, 0.3, 0.2, 0.14, 0.1, 0.07, 0.05), "x"),
    "bright": Disturbance(brighten, (1.5, 2, 2.5, 3, 4, 6), "x"),
    "pale": Disturbance(fade, (0.5, 0.3, 0.2, 0.14, 0.1, 0.07, 0.05), "x"),
    "blur": Disturbance(blur, (0.5, 0.8, 1.1, 1.5, 2, 3), "px"),
    "noise": Disturbance(add_noise, (5, 10, 20, 30), "levels"),
    "jpeg": Disturbance(compress, (90, 70, 50, 30), "quality"),
    "motion": Disturbance(move, (3, 5, 7, 9), "px"),
    "small": Disturbance(shrink, (40, 32, 28, 24, 20, 16, 12), "px"),
    "tilt": Disturbance(tilt, (0, 10, 20, 30, 40, 50, 60), "degrees"),
    "cut": Disturbance(cut_off, (0.1, 0.2, 0.3, 0.4, 0.5), "of the side"),
    "covered": Disturbance(cover, (0.1, 0.2, 0.3), "of area"),
}


def _scene(image: Grey) -> Scene:
    side, pad = image.shape[0], round(PAD * image.shape[0])
    return Scene(plain_surroundings(image), Box(pad, pad, side, side))


def _noisy(levels: NDArray[np.floating], random: np.random.Generator) -> Grey:
    return _levels(levels + random.normal(0, _NOISE_LEVELS, levels.shape))


def _levels(levels: NDArray[np.generic]) -> Grey:
    return np.asarray(np.clip(np.rint(levels.astype(np.float64)), 0, 255), np.uint8)
