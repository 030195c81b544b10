"""Scenes with faces in known places: the same seed and index give the same scene."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box
from fer_training.crops.surroundings import PAD, plain_surroundings
from fer_training.detection.pictures import Material, Portrait

Canvas = NDArray[np.float32]
"""A picture in the making, H x W, grey values that may leave 0..255."""

Condition = Literal["upright", "photo", "small", "rotated", "turned", "dark", "blurred", "empty"]

SHARES: Mapping[Condition, float] = {
    "upright": 0.34,
    "photo": 0.10,
    "small": 0.06,
    "rotated": 0.10,
    "turned": 0.06,
    "dark": 0.08,
    "blurred": 0.08,
    "empty": 0.18,
}
"""How often each kind of scene comes."""

SIDES_PX = (40.0, 240.0)
SMALL_SIDES_PX = (30.0, 50.0)
ROLLS_DEGREES = (15.0, 35.0)

_WIDE_SHARE = 0.2
_FEATHER = 0.15
_ATTEMPTS = 30


@dataclass(frozen=True, slots=True)
class Scene:
    """A grey picture (H x W) and the faces in it: boxes about upright squares, in its pixels."""

    grey: Grey
    faces: tuple[Box, ...]
    condition: Condition


def make_scene(material: Material, seed: int, index: int) -> Scene:
    """Scene `index` of a series: 640 x 480, one in five 1280 x 720, with none to three faces.

    upright: faces as they are; photo: a whole photo, enlarged or shrunk, over the ground; small: 25 px faces
    at 30-50 px; rotated: by 15-35 degrees either way; turned: looking aside; dark: an eighth to a third of
    the light, with noise; blurred: by a Gaussian of 2-5 % of the face's side; empty: no face.
    """
    random = np.random.default_rng((seed, index))
    condition = _condition(material, random)
    width, height = (1280, 720) if random.random() < _WIDE_SHARE else (640, 480)
    canvas = _ground(material.grounds, width, height, random)
    faces: list[Box] = []
    if condition != "empty":
        for _ in range(1 if condition == "photo" else int(random.integers(1, 4))):
            place = _free_place(canvas, faces, SMALL_SIDES_PX if condition == "small" else SIDES_PX, random)
            if place is not None:
                _paste(canvas, _portrait(material, condition, random), place, _roll(condition, random))
                faces.append(place)
    return Scene(_exposed(canvas, faces, condition, random), tuple(faces), condition)


def make_single(
    image: Grey, grounds: Sequence[Grey], sides_px: tuple[float, float], random: np.random.Generator
) -> Scene:
    """One face (S x S) with all its pixels, enlarged to a random side, in 640 x 480 pixels of a ground.

    Faces of data sets are cut off within hair and chin. Their edge pixels are repeated for half a side around
    them and fade into the ground there, so that the picture's own pixels stay as they are.
    """
    canvas = _ground(grounds, 640, 480, random)
    place = _place(canvas, _random_side(sides_px, random), random)
    side, pad = image.shape[0], round(PAD * image.shape[0])
    _paste(canvas, Portrait(plain_surroundings(image), Box(pad, pad, side, side)), place, 0.0)
    return Scene(np.asarray(canvas.round().clip(0, 255), np.uint8), (place,), "upright")


def _condition(material: Material, random: np.random.Generator) -> Condition:
    names = list(SHARES)
    condition: Condition = names[int(random.choice(len(names), p=list(SHARES.values())))]
    return "upright" if condition == "turned" and not material.turned else condition


def _ground(grounds: Sequence[Grey], width: int, height: int, random: np.random.Generator) -> Canvas:
    """A part of a ground with the scene's shape, at least 0.4 of what fits, mirrored and lit at random."""
    ground = grounds[int(random.integers(len(grounds)))]
    fit = min(ground.shape[1] / width, ground.shape[0] / height) * random.uniform(0.4, 1.0)
    part_width, part_height = int(width * fit), int(height * fit)
    left = int(random.integers(ground.shape[1] - part_width + 1))
    top = int(random.integers(ground.shape[0] - part_height + 1))
    part = ground[top : top + part_height, left : left + part_width]
    if random.random() < 0.5:
        part = part[:, ::-1]
    large = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if fit > 1 else cv2.INTER_CUBIC)
    return large.astype(np.float32) * random.uniform(0.7, 1.0) + random.uniform(0, 30)


def _free_place(
    canvas: Canvas, faces: Sequence[Box], sides_px: tuple[float, float], random: np.random.Generator
) -> Box | None:
    """A place for one more face with a rim of a quarter of its side; none where it is too crowded."""
    side = _random_side(sides_px, random)
    for _ in range(_ATTEMPTS):
        place = _place(canvas, side, random)
        if all(_apart(_with_rim(place), _with_rim(other)) for other in faces):
            return place
    return None


def _random_side(sides_px: tuple[float, float], random: np.random.Generator) -> float:
    """Small sides as often as large ones, by their logarithms."""
    low, high = sides_px
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _place(canvas: Canvas, side: float, random: np.random.Generator) -> Box:
    """Somewhere with a rim of a quarter of the side around it."""
    height, width = canvas.shape
    x = random.uniform(side * 0.25, width - side * 1.25)
    y = random.uniform(side * 0.25, height - side * 1.25)
    return Box(x, y, side, side)


def _with_rim(box: Box) -> Box:
    rim = box.side / 4
    return Box(box.x - rim, box.y - rim, box.width + 2 * rim, box.height + 2 * rim)


def _roll(condition: Condition, random: np.random.Generator) -> float:
    """Degrees clockwise."""
    if condition != "rotated":
        return 0.0
    return float(random.uniform(*ROLLS_DEGREES) * random.choice([-1, 1]))


def _portrait(material: Material, condition: Condition, random: np.random.Generator) -> Portrait:
    pool = {"photo": material.photos, "small": material.small, "turned": material.turned}.get(
        condition, material.faces
    )
    return pool[int(random.integers(len(pool)))]


def _apart(first: Box, second: Box) -> bool:
    return (
        first.x + first.width <= second.x
        or second.x + second.width <= first.x
        or first.y + first.height <= second.y
        or second.y + second.height <= first.y
    )


def _paste(canvas: Canvas, portrait: Portrait, place: Box, roll_degrees: float) -> None:
    """Blend the portrait in so that its box comes to `place`, turned clockwise about its middle."""
    factor = place.side / portrait.box.side
    height, width = portrait.image.shape
    size = max(2, round(width * factor)), max(2, round(height * factor))
    image = cv2.resize(portrait.image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    share = np.outer(_fade(size[1], place.side), _fade(size[0], place.side)).astype(np.float32)
    middle_x, middle_y = portrait.box.scaled(factor).centre
    turn = cv2.getRotationMatrix2D((middle_x - 0.5, middle_y - 0.5), -roll_degrees, 1.0)
    matrix = np.asarray(turn, np.float64)
    matrix[:, 2] += np.array(place.centre) - (middle_x, middle_y)
    whole = canvas.shape[1], canvas.shape[0]
    shown = cv2.warpAffine(image.astype(np.float32), matrix, whole, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(share, matrix, whole)
    np.add(canvas, cover * (shown - canvas), out=canvas)


def _fade(length: int, face_side: float) -> Canvas:
    """0..1 along one side: rising over `_FEATHER` face sides from both ends, as half a cosine."""
    reach = max(1.0, _FEATHER * face_side)
    distance = np.minimum(np.arange(length) + 0.5, length - 0.5 - np.arange(length)).clip(max=reach)
    return np.asarray((1 - np.cos(np.pi * distance / reach)) / 2, np.float32)


def _exposed(canvas: Canvas, faces: Sequence[Box], condition: Condition, random: np.random.Generator) -> Grey:
    """What a camera makes of the scene: blur and darkness as the condition says, and noise."""
    noise = random.uniform(0, 4)
    if condition == "blurred" and faces:
        sigma = min(box.side for box in faces) * random.uniform(0.02, 0.05)
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), sigma), np.float32)
    if condition == "dark":
        canvas = canvas * random.uniform(1 / 8, 1 / 3)
    noisy = canvas + random.normal(0, noise, canvas.shape)
    return np.asarray(noisy.round().clip(0, 255), np.uint8)
