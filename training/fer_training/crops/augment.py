"""Random views of a training face: zoom, rotation, shift, flip and light, and what cameras add."""

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fer_gateway.contract import Frozen
from fer_gateway.vision.align import centred, warp
from fer_gateway.vision.landmarks import Matrix
from fer_training.crops.surroundings import PAD, with_surroundings

Grey = NDArray[np.uint8]

_BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT)


class AugmentConfig(Frozen):
    """Strength of each step; 0 switches it off. The first five are the paper's."""

    zoom: float = Field(default=0.15, ge=0, lt=1, description="Scale is drawn from 1 - zoom to 1 + zoom.")
    rotation_degrees: float = Field(default=15.0, ge=0, le=180, description="Up to so many, to either side.")
    shift: float = Field(default=0.08, ge=0, le=0.5, description="Share of the side, in x and y.")
    flip: bool = Field(default=True, description="Mirror every second view.")
    brightness: float = Field(default=0.2, ge=0, le=1, description="Share of the grey range.")
    contrast: float = Field(
        default=0.25, ge=0, lt=1, description="It is multiplied by 1 - contrast to 1 + contrast."
    )
    blur: float = Field(default=0.1, ge=0, le=1, description="Probability of a slight Gaussian blur.")
    noise: float = Field(
        default=0.1, ge=0, le=1, description="Probability of Gaussian noise, up to 8 grey levels."
    )
    erase: float = Field(default=0.25, ge=0, le=1, description="Probability that a rectangle is overwritten.")
    surroundings: float = Field(
        default=0.0, ge=0, le=1, description="Probability of made-up pixels around the picture."
    )


def plain_view(image: Grey, frame: Matrix, size_px: int) -> Grey:
    """The unchanged face (H x W) as serving would cut it: `size_px` x `size_px`.

    `frame` is the matrix (2 x 3) from the picture to the unit square of the crop, see `alignment`.
    """
    return warp(image, centred(frame * size_px), size_px)


def random_view(
    image: Grey, frame: Matrix, size_px: int, config: AugmentConfig, random: np.random.Generator
) -> Grey:
    """A random view of the face (H x W, its `frame` as in `plain_view`): `size_px` x `size_px`, uint8."""
    change = _random_change(size_px, config, random)
    if random.random() < config.surroundings:
        pad = round(PAD * image.shape[0])
        canvas, to_image = with_surroundings(image, random), _moved(-pad)
    else:
        canvas, to_image = image, _moved(0)
    whole = change @ np.vstack([centred(frame * size_px), [0, 0, 1]]) @ to_image
    border = _BORDERS[random.integers(len(_BORDERS))]
    view = warp(canvas, whole[:2], size_px, border=border, fill=float(random.integers(256)))
    return _erased(_lit(_degraded(view, config, random), config, random), config, random)


def _moved(offset_px: float) -> Matrix:
    return np.array([[1.0, 0.0, offset_px], [0.0, 1.0, offset_px], [0.0, 0.0, 1.0]])


def _random_change(size_px: int, config: AugmentConfig, random: np.random.Generator) -> NDArray[np.float64]:
    """Zoom, rotate, shift and flip about the middle of the crop, 3 x 3."""
    middle = (size_px - 1) / 2
    scale = 1 + random.uniform(-config.zoom, config.zoom)
    angle = np.deg2rad(random.uniform(-config.rotation_degrees, config.rotation_degrees))
    shift = random.uniform(-config.shift, config.shift, 2) * size_px
    mirror = -1.0 if config.flip and random.random() < 0.5 else 1.0
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    change = np.array([[mirror * cos, -sin, 0], [mirror * sin, cos, 0], [0, 0, 1]])
    change[:2, 2] = middle + shift - change[:2, :2] @ (middle, middle)
    return change


def _degraded(view: Grey, config: AugmentConfig, random: np.random.Generator) -> Grey:
    if random.random() < config.blur:
        view = cv2.GaussianBlur(view, (0, 0), random.uniform(0.4, 1.2) * view.shape[0] / 64)  # type: ignore[assignment]
    if random.random() < config.noise:
        noisy = view + random.normal(0, random.uniform(1, 8), view.shape)
        view = noisy.clip(0, 255).astype(np.uint8)
    return view


def _lit(view: Grey, config: AugmentConfig, random: np.random.Generator) -> Grey:
    """Contrast about the mean, then brightness, by a table of 256 grey levels."""
    gain = 1 + random.uniform(-config.contrast, config.contrast)
    offset = 255 * random.uniform(-config.brightness, config.brightness)
    mean = float(view.mean())
    table = ((np.arange(256) - mean) * gain + mean + offset).clip(0, 255).astype(np.uint8)
    return table[view]


def _erased(view: Grey, config: AugmentConfig, random: np.random.Generator) -> Grey:
    """Overwrite a rectangle of 2-20 % of the area with noise (random erasing, Zhong et al. 2020)."""
    if random.random() >= config.erase:
        return view
    size = view.shape[0]
    area, aspect = random.uniform(0.02, 0.2) * size * size, np.exp(random.uniform(-1, 1))
    height, width = (
        min(size, max(1, round(side))) for side in (np.sqrt(area * aspect), np.sqrt(area / aspect))
    )
    top, left = random.integers(size - height + 1), random.integers(size - width + 1)
    view = view.copy()
    view[top : top + height, left : left + width] = random.integers(0, 256, (height, width), dtype=np.uint8)
    return view
