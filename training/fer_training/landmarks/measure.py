"""How Haar boxes lie about faces with known points, and how far the landmark model is from these."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_gateway.contract import LandmarkError
from fer_gateway.inference.landmarks import LandmarkModel, Located
from fer_gateway.inference.self_test import make_crops
from fer_gateway.vision.cascade import HaarDetector
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Points, frame_of, roll_degrees, similarity
from fer_training.crops.framing import ENLARGED_PX, PADDING_PX, FramingFit, fit_relations, relation
from fer_training.crops.jitter import Jitter
from fer_training.landmarks.data import PointedFaces
from fer_training.landmarks.scenes import make_scene

Grey = NDArray[np.uint8]

TEST_JITTER = Jitter(shift=0.10, scale=0.20, degrees=15.0)
"""Under which errors are reported."""


@dataclass(frozen=True, slots=True)
class HaarFit:
    """Mean relation of Haar box and landmark frame, and how far faces are turned (standard deviation)."""

    placed: FramingFit
    roll_spread_degrees: float


def mean_template(faces: PointedFaces) -> Points:
    """The mean points of faces in fractions of their picture's side, 5 x 2."""
    mean: Points = faces.points.mean(axis=0) / faces.images.shape[1]
    return mean


def fit_haar(faces: PointedFaces, template: Points, detector: HaarDetector) -> HaarFit:
    """Run Haar on faces, enlarged and padded, and compare its boxes with the frames that landmarks give.

    Raises:
        DataError: Haar found fewer than 20 faces.
    """
    found, rolls = [], []
    rows = zip(faces.images, faces.points, strict=True)
    for image, points in tqdm(rows, total=len(faces), desc="faces", mininterval=1, disable=None):
        enlarged = points * ENLARGED_PX / image.shape[0] + PADDING_PX
        found.append(relation(image, frame_of(enlarged, template), detector))
        rolls.append(roll_degrees(similarity(template, enlarged)))
    fit = fit_relations(found)
    known = [roll for roll, one in zip(rolls, found, strict=True) if one is not None]
    return HaarFit(fit, float(np.std(known)))


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
