"""How Haar boxes lie about faces with known points, and how far the landmark model is from these."""

from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_gateway.contract import Framing, LandmarkError
from fer_gateway.inference.landmarks import LandmarkModel, Located
from fer_gateway.inference.self_test import make_crops
from fer_gateway.vision.cascade import HaarDetector
from fer_gateway.vision.geometry import Box, intersection_over_union
from fer_gateway.vision.landmarks import Points, frame_of, roll_degrees, similarity
from fer_training.crops.framing import ENLARGED_PX, PADDING_PX
from fer_training.crops.jitter import Jitter
from fer_training.errors import DataError
from fer_training.landmarks.data import PointedFaces
from fer_training.landmarks.scenes import make_scene

Grey = NDArray[np.uint8]

TEST_JITTER = Jitter(shift=0.10, scale=0.20, degrees=15.0)
"""Under which errors are reported."""

_LEAST_FACES = 20


@dataclass(frozen=True, slots=True)
class HaarFit:
    """Mean relation of Haar box and landmark frame, and its spread (standard deviations) over faces."""

    framing: Framing
    scale_spread: float
    offset_x_spread: float
    offset_y_spread: float
    roll_spread_degrees: float
    faces_tried: int


def mean_template(faces: PointedFaces) -> Points:
    """The mean points of faces in fractions of their picture's side, 5 x 2."""
    mean: Points = faces.points.mean(axis=0) / faces.images.shape[1]
    return mean


def fit_haar(faces: PointedFaces, template: Points, detector: HaarDetector) -> HaarFit:
    """Run Haar on faces, enlarged and padded, and compare its boxes with the frames that landmarks give.

    Raises:
        DataError: Haar found fewer than 20 faces.
    """
    relations = []
    rows = zip(faces.images, faces.points, strict=True)
    for image, points in tqdm(rows, total=len(faces), desc="faces", mininterval=1, disable=None):
        relation = _relation(image, points, template, detector)
        if relation is not None:
            relations.append(relation)
    if len(relations) < _LEAST_FACES:
        raise DataError(f"Haar found {len(relations)} of {len(faces)} faces; {_LEAST_FACES} are needed")
    table = np.array(relations)
    log_scale, offset_x, offset_y, _ = table.mean(axis=0)
    spread = table.std(axis=0)
    scale = float(np.exp(log_scale))
    framing = Framing(
        scale=round(scale, 4),
        offset_x=round(float(offset_x), 4),
        offset_y=round(float(offset_y), 4),
        faces_measured=len(table),
    )
    return HaarFit(
        framing, scale * spread[0], float(spread[1]), float(spread[2]), float(spread[3]), len(faces)
    )


def _relation(
    image: Grey, points: Points, template: Points, detector: HaarDetector
) -> tuple[float, float, float, float] | None:
    """Log scale, offsets and roll of one face; none where Haar finds nothing on it."""
    large = cv2.resize(image, (ENLARGED_PX, ENLARGED_PX), interpolation=cv2.INTER_CUBIC)
    pad = PADDING_PX
    padded = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    placed = points * ENLARGED_PX / image.shape[0] + pad
    frame = frame_of(placed, template)
    boxes = detector.detect(np.asarray(padded, np.uint8))
    box = max(boxes, key=lambda box: intersection_over_union(box, frame), default=None)
    if box is None or intersection_over_union(box, frame) < 0.25:
        return None
    roll = roll_degrees(similarity(template, placed))
    dx, dy = frame.centre[0] - box.centre[0], frame.centre[1] - box.centre[1]
    return float(np.log(frame.side / box.side)), dx / box.side, dy / box.side, roll


def locate_all(
    model: LandmarkModel, faces: PointedFaces, jitter: Jitter, seed: int = 0
) -> tuple[list[Located], NDArray[np.float64]]:
    """Locate every face in a scene of its own; also its errors over the eye distance of its label, N x 5."""
    located, errors = [], []
    for index in range(len(faces)):
        scene = make_scene(faces, index, jitter, model.card.framing, np.random.default_rng((seed, index)))
        (answer,) = model.locate(scene.grey, [scene.box])
        located.append(answer)
        eyes = np.hypot(*(scene.points[1] - scene.points[0]))
        errors.append(np.hypot(*(answer.points - scene.points).T) / eyes)
    return located, np.array(errors)


def share_of_nothing_taken(model: LandmarkModel, faces: PointedFaces, seed: int = 0) -> float:
    """Share of boxes beside the faces in which the model still believes in a face."""
    taken = 0
    for index in range(len(faces)):
        random = np.random.default_rng((seed, index))
        scene = make_scene(faces, index, TEST_JITTER, model.card.framing, random)
        side = scene.box.side / 2
        angle = random.uniform(0, 2 * np.pi)
        x, y = np.array(scene.box.centre) + 1.5 * side * np.array([np.cos(angle), np.sin(angle)])
        (answer,) = model.locate(scene.grey, [Box(x - side / 2, y - side / 2, side, side)])
        moved = np.hypot(*(answer.points.mean(axis=0) - (x, y))) > side
        taken += answer.is_face and not moved
    return taken / len(faces)


def time_a_face(model: LandmarkModel, repetitions: int = 200) -> tuple[float, float]:
    """Median milliseconds of one run of the network, and of a face with all its looks; one thread."""
    grey = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
    crop = make_crops(model.card.size_px)[:1]
    runs, whole = [], []
    for _ in range(repetitions):
        started = perf_counter()
        model.run(crop)
        between = perf_counter()
        model.locate(grey, [Box(200, 120, 160, 160)])
        runs.append(between - started)
        whole.append(perf_counter() - between)
    return float(np.median(runs)) * 1e3, float(np.median(whole)) * 1e3


def summarise(errors: NDArray[np.float64], data: str) -> LandmarkError:
    """The card's entry for errors N x 5; a face's error is the mean over its points."""
    by_face = errors.mean(axis=1)
    return LandmarkError(
        data=data,
        faces=len(by_face),
        mean=round(float(by_face.mean()), 4),
        median=round(float(np.median(by_face)), 4),
        percentile_95=round(float(np.percentile(by_face, 95)), 4),
    )
