"""Synthetic clips: real faces that move over pictures, cross, vanish and come back; noise and JPEG on top."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from fer_gateway.vision.cascade import HaarDetector
from fer_gateway.vision.geometry import Box, overlap_of_smaller

WIDTH, HEIGHT = 640, 480
FPS = 30
STEP_MS = 1000 / FPS

_MARGIN = 0.35
_ROUND = 4.0

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a face is: its centre and the side of its Haar box in pixels, its tilt clockwise in degrees."""

    x: float
    y: float
    side: float
    roll_degrees: float = 0.0


@dataclass(frozen=True, slots=True)
class Sprite:
    """A face cut out of a picture, with soft edges."""

    picture: Grey
    """H x W."""
    opacity: NDArray[np.float32]
    """H x W, 0..1."""
    box: Box
    """The Haar box of the face, in pixels of `picture`."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A face and its way through a clip."""

    name: str
    sprite: Callable[[float], Sprite]
    """The face at a time, in milliseconds."""
    path: Callable[[float], Pose | None]
    """Its pose at a time; none while it is not there."""


def actor(name: str, sprite: Sprite, path: Callable[[float], Pose | None]) -> Actor:
    """One that shows the same face all the time."""
    return Actor(name, lambda _: sprite, path)


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """One frame, and where the faces in it truly are."""

    captured_ms: float
    jpeg: bytes
    truth: dict[str, Box]
    """Haar-like boxes in pixels by name."""
    hidden: frozenset[str]
    """The names of those that another face covers by a quarter or more."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What there is to see; actors are painted in their order, the last one in front."""

    background: Grey
    actors: Sequence[Actor]
    duration_ms: float = 10_000.0
    noise: float = 4.0
    """Standard deviation of the noise in grey levels."""
    jpeg_quality: int = 75
    seed: int = 0

    def frames(self) -> Iterator[ClipFrame]:
        """Every frame, at `FPS`."""
        random = np.random.default_rng(self.seed)
        for number in range(round(self.duration_ms / STEP_MS)):
            now_ms = number * STEP_MS
            picture = self.background.astype(np.float32)
            truth = {}
            for actor in self.actors:
                pose = actor.path(now_ms)
                if pose is not None:
                    picture = paint(picture, actor.sprite(now_ms), pose)
                    truth[actor.name] = Box(
                        pose.x - pose.side / 2, pose.y - pose.side / 2, pose.side, pose.side
                    )
            picture += random.normal(0, self.noise, picture.shape).astype(np.float32)
            grey = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
            yield ClipFrame(now_ms, encode(grey, self.jpeg_quality), truth, _hidden(truth))


def encode(grey: Grey, quality: int = 75) -> bytes:
    done, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return bytes(data)


def paint(picture: NDArray[np.float32], sprite: Sprite, pose: Pose) -> NDArray[np.float32]:
    """The picture with the face in it."""
    scale = pose.side / sprite.box.side
    angle = math.radians(pose.roll_degrees)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    x, y = sprite.box.centre
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([pose.x, pose.y]) - turn @ np.array([x, y])
    matrix = np.column_stack([turn, shift + turn @ np.array([0.5, 0.5]) - 0.5])
    size = (picture.shape[1], picture.shape[0])
    source = sprite.picture.astype(np.float32)
    if scale < 1:  # so that shrinking does not skip pixels
        source = cv2.GaussianBlur(source, (0, 0), 0.4 / scale).astype(np.float32)
    face = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.warpAffine(sprite.opacity, matrix, size, flags=cv2.INTER_LINEAR)
    return np.asarray(picture + opacity * (face - picture), np.float32)


def cut_out(photo: Grey, box: Box | None = None) -> Sprite:
    """The largest face of a photo (or that in `box`) with its hair and chin."""
    if box is None:
        box = HaarDetector().detect(photo)[0]
    margin = round(_MARGIN * box.side)
    padded = cv2.copyMakeBorder(photo, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    left, top, side = round(box.x), round(box.y), round(box.side)
    part = np.asarray(padded[top : top + side + 2 * margin, left : left + side + 2 * margin], np.uint8)
    return Sprite(part, _soft(part.shape[0], part.shape[1]), Box(margin, margin, side, side))


def tile(face: Grey) -> Sprite:
    """A face that fills its small picture, as those of FER+ and CK+ do."""
    size = face.shape[0]
    return Sprite(face, _soft(size, size), Box(0.02 * size, 0.02 * size, 0.96 * size, 0.96 * size))


def background(name: str) -> Grey:
    """A picture of scikit-image without a face, 480 x 640; some come with the package."""
    picture = cv2.imread(str(Path(skimage.__file__).parent / "data" / name), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return np.asarray(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _hidden(truth: dict[str, Box]) -> frozenset[str]:
    names = list(truth)
    return frozenset(
        behind
        for index, behind in enumerate(names)
        if any(overlap_of_smaller(truth[behind], truth[before]) > 0.25 for before in names[index + 1 :])
    )


def _soft(height: int, width: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 at a rounded edge."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    radius = (np.abs(x) ** _ROUND + np.abs(y) ** _ROUND) ** (1 / _ROUND)
    return np.asarray(np.clip((1 - radius) / 0.15, 0, 1), np.float32)
