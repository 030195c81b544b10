"""Where the crop of a training face lies in its picture: the whole of it, or by landmarks as in serving."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.vision.align import box_framed_by, box_matrix, points_matrix
from fer_gateway.vision.geometry import Box
from fer_training.crops.jitter import Jitter
from fer_training.crops.surroundings import PAD, plain_surroundings, with_surroundings

Crop = Literal["box-v1", "landmarks-v1"]
"""Algorithms of `FaceSpec`."""

Frames = NDArray[np.float64]
"""N x K x 2 x 3: K matrices a face, from its picture (continuous edges) to the unit square of the crop."""

SERVING_JITTER = Jitter(shift=0.1, scale=0.2, degrees=0.0)
"""How boxes are moved before landmarks are looked for, so that training sees what alignment leaves over."""


def whole_frames(images: NDArray[np.uint8]) -> Frames:
    """The whole picture of each face (N x H x W): `box-v1`, K = 1."""
    whole = Box(0, 0, images.shape[2], images.shape[1])
    return np.tile(box_matrix(whole, 1), (len(images), 1, 1, 1))


def serving_frames(images: NDArray[np.uint8], crop: Crop, landmarks: LandmarkModel) -> Frames:
    """The frames that serving would cut, K = 1.

    Of faces (N x H x W) whose landmarks are not plausible, the whole picture.
    """
    if crop == "box-v1":
        return whole_frames(images)
    still = Jitter(shift=0, scale=0, degrees=0)
    random = np.random.default_rng(0)
    frames = [_frame(image, plain_surroundings(image), landmarks, still, random) for image in images]
    return np.array(frames).reshape(-1, 1, 2, 3)


def jittered_frames(
    images: NDArray[np.uint8], crop: Crop, landmarks: LandmarkModel, draws: int, seed: int, *, first: int = 0
) -> Frames:
    """`draws` frames a face, each from a jittered box amid random surroundings.

    `first` is the number of the first face among all, so that they can be made in parts.
    """
    if crop == "box-v1":
        return whole_frames(images)
    rows = []
    for index, image in enumerate(tqdm(images, desc="alignment", mininterval=1, disable=None), start=first):
        random = np.random.default_rng((seed, index))
        canvases = [with_surroundings(image, random) for _ in range(draws)]
        rows.append([_frame(image, canvas, landmarks, SERVING_JITTER, random) for canvas in canvases])
    return np.array(rows).reshape(-1, draws, 2, 3)


def _frame(
    image: NDArray[np.uint8],
    canvas: NDArray[np.uint8],
    landmarks: LandmarkModel,
    jitter: Jitter,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """The unit matrix of one face that stands in the middle of a padded canvas."""
    side = image.shape[0]
    pad = round(PAD * side)
    frame = jitter.moved(_whole(image), random)
    box = box_framed_by(Box(frame.x + pad, frame.y + pad, frame.width, frame.height), landmarks.card.framing)
    (located,) = landmarks.locate(canvas, [box])
    if not located.plausible:
        return box_matrix(frame, 1)
    return points_matrix(located.points - pad, np.array(landmarks.card.template), 1)


def _whole(image: NDArray[np.uint8]) -> Box:
    return Box(0, 0, image.shape[1], image.shape[0])
