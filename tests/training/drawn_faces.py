"""Faces drawn from ellipses whose mouth and brows show an emotion: enough for Haar, landmarks, a network."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Canvas = NDArray[np.float32]

EXPRESSIONS = ("neutral", "happiness", "surprise", "anger")

_SIDE = 256  # px of the drawing; a face is about 150 px wide


@dataclass(frozen=True, slots=True)
class Person:
    """What differs between people and pictures, but not by emotion."""

    skin: float
    hair: float
    ground: float
    width: float
    eyes_apart: float
    eye: float
    light: Canvas
    """Gains over the drawing, H x W: light from somewhere, and shadows. Without it all drawings are twins."""

    @classmethod
    def random(cls, random: np.random.Generator) -> Self:
        """Anybody, in any light."""
        return cls(
            skin=random.uniform(130, 215),
            hair=random.uniform(20, 120),
            ground=random.uniform(40, 220),
            width=random.uniform(0.92, 1.08),
            eyes_apart=random.uniform(0.95, 1.05),
            eye=random.uniform(0.85, 1.15),
            light=_light(random),
        )


def draw_face(expression: str, random: np.random.Generator) -> Grey:
    """A face of 256 x 256 px, uint8, its centre near (128, 136), about 150 px wide."""
    who = Person.random(random)
    canvas = np.full((_SIDE, _SIDE), who.ground, np.float32)
    _ellipse(canvas, (128, 118), (88 * who.width, 112), who.hair)
    _ellipse(canvas, (128, 230), (40, 60), who.skin * 0.8)  # the neck
    _ellipse(canvas, (128, 138), (74 * who.width, 98), who.skin)
    canvas = _soft(canvas, 3)
    _shade(canvas, who)
    for side in (-1, 1):
        _draw_eye(canvas, who, side, expression, random)
    _draw_mouth(canvas, who, expression, random)
    canvas = _soft(canvas, 1.6)
    canvas = _tilted(canvas * who.light, random.uniform(-10, 10))
    return (canvas + random.normal(0, 3, canvas.shape)).clip(0, 255).astype(np.uint8)


def _shade(canvas: Canvas, who: Person) -> None:
    """What Haar looks for: dark sockets of the eyes, and the back of the nose, which light falls on."""
    for side in (-1, 1):
        _ellipse(canvas, (128 + side * 33 * who.eyes_apart, 115), (27, 17), who.skin * 0.62)
    canvas[:] = _soft(canvas, 6)
    _ellipse(canvas, (128, 138), (9, 30), min(255, who.skin * 1.15))
    _ellipse(canvas, (128, 174), (18, 5), who.skin * 0.6)
    canvas[:] = _soft(canvas, 3)
    for side in (-1, 1):
        _ellipse(canvas, (128 + side * 9, 168), (5, 3), who.skin * 0.4)


def _draw_eye(canvas: Canvas, who: Person, side: int, expression: str, random: np.random.Generator) -> None:
    x, y = 128 + side * 33 * who.eyes_apart, 118.0
    opened = {"surprise": 9.5, "happiness": 6.0, "anger": 6.0}.get(expression, 8.0) * who.eye
    _ellipse(canvas, (x, y), (16, opened), 205)
    _ellipse(canvas, (x, y), (min(7.5, opened), min(7.5, opened)), 25)
    raised = {"surprise": -8.0, "anger": 5.0}.get(expression, 0.0)
    slant = {"surprise": -3.0, "anger": 11.0}.get(expression, -1.0) + random.uniform(-1.5, 1.5)
    inner, outer = (x - side * 20, y - 21 + raised + slant), (x + side * 22, y - 21 + raised - slant / 2)
    middle = ((inner[0] + outer[0]) / 2, min(inner[1], outer[1]) - 1)
    _stroke(canvas, np.array([inner, middle, outer]), 35, 9)


def _draw_mouth(canvas: Canvas, who: Person, expression: str, random: np.random.Generator) -> None:
    x, y = 128 + random.uniform(-2, 2), 198 + random.uniform(-2, 2)
    if expression == "surprise":
        _ellipse(canvas, (x, y + 2), (17 + random.uniform(-2, 2), 19 + random.uniform(-2, 2)), who.skin * 0.5)
        _ellipse(canvas, (x, y + 2), (11, 13), 25)
        return
    bend = {"happiness": 20.0, "anger": -11.0}.get(expression, 0.0) + random.uniform(-2, 2)
    wide = {"happiness": 40.0, "anger": 28.0}.get(expression, 30.0) + random.uniform(-2, 2)
    share = np.linspace(-1, 1, 15)
    curve = np.column_stack([x + wide * share, y + bend / 2 - bend * share**2])
    if expression == "happiness":  # the teeth
        below = np.column_stack([x + wide * share[::-1], y + bend / 2 - 4 - 0.2 * bend * share[::-1] ** 2])
        cv2.fillPoly(canvas, [np.round(np.vstack([curve, below])).astype(np.int32)], 235)
    _stroke(canvas, curve, who.skin * 0.3, 8)


def _tilted(canvas: Canvas, degrees: float) -> Canvas:
    turn = cv2.getRotationMatrix2D((128, 136), degrees, 1)
    turned = cv2.warpAffine(canvas, turn, (_SIDE, _SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.float32)


def _light(random: np.random.Generator) -> Canvas:
    gains = random.uniform(0.55, 1.25, (3, 3)).astype(np.float32)
    return np.asarray(cv2.resize(gains, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def _ellipse(canvas: Canvas, centre: tuple[float, float], axes: tuple[float, float], grey: float) -> None:
    at = (round(centre[0] * 16), round(centre[1] * 16))
    cv2.ellipse(canvas, at, (round(axes[0] * 16), round(axes[1] * 16)), 0, 0, 360, grey, -1, cv2.LINE_8, 4)


def _stroke(canvas: Canvas, points: NDArray[np.float64], grey: float, width: int) -> None:
    cv2.polylines(canvas, [np.round(points * 16).astype(np.int32)], False, grey, width, cv2.LINE_8, 4)


def _soft(canvas: Canvas, sigma: float) -> Canvas:
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), sigma), np.float32)


def draw_scene(expression: str, random: np.random.Generator) -> Grey:
    """A picture of 360 x 480 px with one such face, 110-190 px wide, somewhere in it."""
    face = draw_face(expression, random)
    side = int(random.uniform(200, 330))
    face = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    top, left = int(random.integers(0, 360 - side + 1)), int(random.integers(0, 480 - side + 1))
    bottom, right = 360 - side - top, 480 - side - left
    return np.asarray(cv2.copyMakeBorder(face, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)


def draw_dataset_face(expression: str, random: np.random.Generator) -> Grey:
    """A face of 48 x 48 px as in FER2013: cut tightly, its place a little off."""
    face = draw_face(expression, random)
    side = 205 * random.uniform(0.97, 1.03)
    left, top = 128 - side / 2 + random.uniform(-3, 3), 142 - side / 2 + random.uniform(-3, 3)
    scale = 48 / side
    matrix = np.array([[scale, 0, (0.5 - left) * scale - 0.5], [0, scale, (0.5 - top) * scale - 0.5]])
    soft = np.asarray(cv2.GaussianBlur(face, (0, 0), 1.5), np.uint8)  # against aliasing
    small = cv2.warpAffine(soft, matrix, (48, 48), flags=cv2.INTER_LINEAR)
    return (small + random.normal(0, 8, small.shape)).clip(0, 255).astype(np.uint8)
