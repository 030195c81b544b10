"""A drawn face, for measurements: cascades and landmarks take it for one, and it is nobody's."""

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 640, 480

_SIDE_PX = 256  # of the drawing; its face is about 150 px wide
_SKIN, _HAIR, _GROUND = 180.0, 60.0, 120.0
_GRAIN = 3.0  # grey levels of noise, as a camera has them

Grey = NDArray[np.uint8]
Canvas = NDArray[np.float32]


def draw_frames(count: int) -> list[bytes]:
    """JPEGs of 640 x 480 px, grey, of one smiling face that moves to one side and back, 4 px a frame."""
    face = np.asarray(cv2.resize(draw_face(), (300, 300), interpolation=cv2.INTER_AREA), np.float32)
    random = np.random.default_rng(1)
    frames = []
    for number in range(count):
        left = 100 + 4 * min(number, count - number)
        scene = cv2.copyMakeBorder(
            face, 90, HEIGHT_PX - 390, left, WIDTH_PX - 300 - left, cv2.BORDER_REPLICATE
        )
        noisy = scene + random.normal(0, _GRAIN, scene.shape)
        frames.append(bytes(cv2.imencode(".jpg", noisy.clip(0, 255).astype(np.uint8))[1]))
    return frames


def draw_face() -> Canvas:
    """The face: 256 x 256 px, its centre near (128, 136), grey levels 0 to 255."""
    canvas = np.full((_SIDE_PX, _SIDE_PX), _GROUND, np.float32)
    _ellipse(canvas, (128, 118), (88, 112), _HAIR)
    _ellipse(canvas, (128, 230), (40, 60), _SKIN * 0.8)  # the neck
    _ellipse(canvas, (128, 138), (74, 98), _SKIN)
    canvas = _soft(canvas, 3)
    for side in (-1, 1):  # what Haar looks for: dark sockets, and the back of the nose, which light falls on
        _ellipse(canvas, (128 + side * 33, 115), (27, 17), _SKIN * 0.62)
    canvas = _soft(canvas, 6)
    _ellipse(canvas, (128, 138), (9, 30), _SKIN * 1.15)
    _ellipse(canvas, (128, 174), (18, 5), _SKIN * 0.6)
    canvas = _soft(canvas, 3)
    for side in (-1, 1):
        x = 128 + side * 33
        _ellipse(canvas, (128 + side * 9, 168), (5, 3), _SKIN * 0.4)
        _ellipse(canvas, (x, 118), (16, 7), 205)
        _ellipse(canvas, (x, 118), (7, 7), 25)
        _stroke(canvas, [(x - side * 20, 97), (x, 94), (x + side * 22, 98)], 35, 9)
    share = np.linspace(-1, 1, 15)
    _stroke(canvas, list(zip(128 + 40 * share, 208 - 20 * share**2, strict=True)), _SKIN * 0.3, 8)
    return _soft(canvas, 1.6)


def _ellipse(canvas: Canvas, centre: tuple[float, float], axes: tuple[float, float], grey: float) -> None:
    at = (round(centre[0] * 16), round(centre[1] * 16))
    cv2.ellipse(canvas, at, (round(axes[0] * 16), round(axes[1] * 16)), 0, 0, 360, grey, -1, cv2.LINE_8, 4)


def _stroke(canvas: Canvas, points: list[tuple[float, float]], grey: float, width: int) -> None:
    corners = np.round(np.array(points) * 16).astype(np.int32)
    cv2.polylines(canvas, [corners], False, grey, width, cv2.LINE_8, 4)


def _soft(canvas: Canvas, sigma_px: float) -> Canvas:
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), sigma_px), np.float32)
