"""Small scenes for the proposal network: faces of many sizes, parts of faces, and no faces."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.align import Grey
from fer_gateway.vision.evened import Evened, evened

VIEW_PX = 96
FACE_PX = (12.0, 17.0)
"""Sides of the faces that the two scores of a place stand for."""

STRIDE = 4
_CELLS = VIEW_PX // STRIDE

_HALF_STEP = 0.25  # log2: up to here a face has the size of the nearer score
_UNSURE = 0.2  # log2 beyond: neither face nor none
_NEAR, _FAR = 0.25, 0.5  # sides from the face's middle: a face up to here, none from there
_SIDES_PX = (6.0, 120.0)
_DECOY_SHARE = 0.5

Canvas = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """What the network sees, and what it should answer."""

    pixels: Evened
    """96 x 96."""
    target: NDArray[np.float32]
    """2 x 24 x 24: 1 where a face is, 0 where none is, -1 where it does not matter."""
    shifts: NDArray[np.float32]
    """6 x 24 x 24: offset (x, y) in sides of `FACE_PX` and log size, for each of both."""


def random_view(faces: Sequence[Grey], grounds: Sequence[Grey], random: np.random.Generator) -> View:
    """A part of a ground with up to two faces (S x S each), or decoys made of them."""
    canvas = _ground(grounds, random)
    target = np.zeros((2, _CELLS, _CELLS), np.float32)
    shifts = np.zeros((6, _CELLS, _CELLS), np.float32)
    for _ in range(int(random.choice([0, 1, 2], p=[0.2, 0.5, 0.3]))):
        face = faces[int(random.integers(len(faces)))]
        side = float(np.exp(random.uniform(*np.log(_SIDES_PX))))
        if random.random() < 0.4:  # half of the faces in the range that counts
            side = float(np.exp(random.uniform(*np.log((10.0, 20.5)))))
        middle = (
            random.uniform(-0.1 * side, VIEW_PX + 0.1 * side, 2)
            if side < 60
            else random.uniform(0, VIEW_PX, 2)
        )
        decoy = random.random() < _DECOY_SHARE * 0.5
        _paste(canvas, _decoy(face, random) if decoy else _varied(face, random), middle, side, random)
        _mark(target, shifts, middle, side, is_face=not decoy)
    return View(evened(_exposed(canvas, random)), target, shifts)


def _ground(grounds: Sequence[Grey], random: np.random.Generator) -> Canvas:
    if random.random() < 0.15:
        return _drawn_ground(random)
    ground = grounds[int(random.integers(len(grounds)))]
    largest = min(ground.shape)
    side = min(largest, round(VIEW_PX * np.exp(random.uniform(np.log(0.5), np.log(largest / VIEW_PX)))))
    top = int(random.integers(ground.shape[0] - side + 1))
    left = int(random.integers(ground.shape[1] - side + 1))
    part = ground[top : top + side, left : left + side]
    if random.random() < 0.5:
        part = part[:, ::-1]
    if random.random() < 0.3:
        part = np.rot90(part, int(random.integers(4)))
    shrink = cv2.INTER_AREA if side > VIEW_PX else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(part), (VIEW_PX, VIEW_PX), interpolation=shrink).astype(np.float32)


def _drawn_ground(random: np.random.Generator) -> Canvas:
    """Soft noise, ellipses and lines."""
    canvas = np.full((VIEW_PX, VIEW_PX), random.uniform(20, 230), np.float32)
    for _ in range(int(random.integers(0, 12))):
        x, y, a, b = (int(value) for value in random.integers(0, VIEW_PX, 4))
        grey = float(random.uniform(0, 255))
        if random.random() < 0.5:
            axes = (2 + a // 4, 2 + b // 4)
            cv2.ellipse(canvas, (x, y), axes, float(random.uniform(0, 180)), 0, 360, grey, -1)
        else:
            cv2.line(canvas, (x, y), (a, b), grey, int(random.integers(1, 8)))
    noise = random.normal(0, random.uniform(0, 60), canvas.shape).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), random.uniform(0.5, 3)), np.float32)
    return canvas + noise


def _varied(face: Grey, random: np.random.Generator) -> Grey:
    """Mirrored or not, and turned by up to 20 degrees."""
    if random.random() < 0.5:
        face = np.ascontiguousarray(face[:, ::-1])
    side = face.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(random.normal(0, 7)), 1.0)
    return np.asarray(cv2.warpAffine(face, turn, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _decoy(face: Grey, random: np.random.Generator) -> Grey:
    """A face whose quarters have changed places, or a quarter of it, or its negative."""
    half = face.shape[0] // 2
    quarters = [face[y : y + half, x : x + half] for y in (0, half) for x in (0, half)]
    kind = random.random()
    if kind < 0.5:
        a, b, c, d = (quarters[index] for index in _derangement(random))
        return np.asarray(np.block([[a, b], [c, d]]), np.uint8)
    if kind < 0.8:
        return np.ascontiguousarray(quarters[int(random.integers(4))])
    return np.asarray(255 - face, np.uint8)


def _derangement(random: np.random.Generator) -> NDArray[np.int64]:
    order = random.permutation(4)
    while (order == np.arange(4)).any():
        order = random.permutation(4)
    return order


def _paste(
    canvas: Canvas, face: Grey, middle: NDArray[np.float64], side: float, random: np.random.Generator
) -> None:
    """Blend a face in: with a feathered square, an ellipse, or its edge pixels repeated around it."""
    around = random.uniform(0.2, 0.5) if random.random() < 0.4 else 0.0
    pad = round(around * face.shape[0])
    image = cv2.copyMakeBorder(face, pad, pad, pad, pad, cv2.BORDER_REPLICATE) if pad else face
    whole = max(4, round(side * image.shape[0] / face.shape[0]))
    kind = cv2.INTER_AREA if whole < image.shape[0] else cv2.INTER_CUBIC
    small = cv2.resize(image, (whole, whole), interpolation=kind).astype(np.float32)
    small = (small - small.mean()) * random.uniform(0.6, 1.3) + random.uniform(60, 190)
    left, top = (round(float(value) - whole / 2) for value in middle)
    cover = _cover(whole, random)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + whole, VIEW_PX), min(top + whole, VIEW_PX)
    if x1 <= x0 or y1 <= y0:
        return
    part = canvas[y0:y1, x0:x1]
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    part += cover[inside] * (small[inside] - part)
    middle[:] = left + whole / 2, top + whole / 2


def _cover(side: int, random: np.random.Generator) -> Canvas:
    """How much of a pasted picture shows, S x S, 0..1."""
    across = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    soft = random.uniform(0.02, 0.35)
    if random.random() < 0.5:
        distance = np.hypot(
            across[None] / random.uniform(0.85, 1.1), across[:, None] / random.uniform(1, 1.2)
        )
    else:
        distance = np.maximum(abs(across)[None], abs(across)[:, None])
    return np.asarray(((1 - distance) / soft).clip(0, 1), np.float32)


def _mark(
    target: NDArray[np.float32],
    shifts: NDArray[np.float32],
    middle: NDArray[np.float64],
    side: float,
    *,
    is_face: bool,
) -> None:
    """Write what the places about a face should answer; a new face covers what lay there."""
    y, x = np.mgrid[0:_CELLS, 0:_CELLS] * STRIDE + STRIDE / 2
    for index, size in enumerate(FACE_PX):
        offset_x, offset_y = (middle[0] - x) / size, (middle[1] - y) / size
        off = np.maximum(abs(offset_x), abs(offset_y)) * (size / max(side, size))
        log_size = float(np.log2(side / size))
        if not is_face:
            target[index][off < _NEAR] = 0
        elif abs(log_size) <= _HALF_STEP:
            target[index][off < _FAR] = -1
            target[index][off < _NEAR] = 1
        elif abs(log_size) <= _HALF_STEP + _UNSURE:
            target[index][off < _FAR] = -1
        else:
            target[index][off < _NEAR] = 0
        near = (target[index] == 1) & (off < _NEAR)
        for row, value in enumerate((offset_x, offset_y, np.full_like(x, log_size))):
            shifts[3 * index + row][near] = value[near]


def _exposed(canvas: Canvas, random: np.random.Generator) -> Grey:
    if random.random() < 0.3:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), random.uniform(0.3, 1.0)), np.float32)
    canvas = canvas * (random.uniform(0.7, 1.1) if random.random() < 0.75 else random.uniform(0.1, 0.5))
    noisy = canvas + random.normal(0, random.uniform(0, 3), canvas.shape)
    return np.asarray(noisy.round().clip(0, 255), np.uint8)
