"""What alignment brings: how steady answers are when boxes are off, and how many survive a tilted head."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import FaceSpec
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.align import box_framed_by, cut_face
from fer_gateway.vision.geometry import Box
from fer_training.crops.jitter import Jitter
from fer_training.crops.surroundings import with_surroundings
from fer_training.data.labelled import LabelledFaces
from fer_training.landmarks.scenes import turned_face

Grey = NDArray[np.uint8]
Probabilities = NDArray[np.float64]

ANGLES = (-30, -20, -10, 0, 10, 20, 30)
"""Degrees by which faces are turned in the picture, clockwise."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The probabilities of faces, N x K each, cut by landmarks and cut by box; and what share was aligned."""

    aligned: Probabilities
    boxed: Probabilities
    share_aligned: float


@dataclass(frozen=True, slots=True)
class Stability:
    """Mean total-variation distance between answers to jittered and clean crops, and accuracy by angle."""

    faces: int
    distance_aligned: float
    distance_boxed: float
    share_aligned: float
    accuracy_aligned: dict[int, float]
    accuracy_boxed: dict[int, float]

    @property
    def ratio(self) -> float:
        """Aligned over boxed distance; 0.5 is twice as steady."""
        return self.distance_aligned / self.distance_boxed


def measure_stability(
    model: EmotionModel, landmarks: LandmarkModel, faces: LabelledFaces, jitter: Jitter, seed: int = 0
) -> Stability:
    """Cut every face, pasted into a larger picture, both ways: clean, with a jittered box, and turned.

    A jittered face is turned by up to `jitter.degrees`, and its box shifted and scaled; the surroundings are
    those of the clean one. When faces are turned by the angles of `ANGLES`, boxes are in place.
    """
    still = Jitter(shift=0, scale=0, degrees=0)
    clean = _cut_all(model, landmarks, faces, (still, 0.0), seed)
    moved = _cut_all(model, landmarks, faces, (jitter, 0.0), seed)
    by_angle = {
        angle: clean if angle == 0 else _cut_all(model, landmarks, faces, (still, float(angle)), seed)
        for angle in ANGLES
    }
    return Stability(
        faces=len(faces),
        distance_aligned=total_variation(clean.aligned, moved.aligned),
        distance_boxed=total_variation(clean.boxed, moved.boxed),
        share_aligned=moved.share_aligned,
        accuracy_aligned={angle: _accuracy(cut.aligned, faces) for angle, cut in by_angle.items()},
        accuracy_boxed={angle: _accuracy(cut.boxed, faces) for angle, cut in by_angle.items()},
    )


def total_variation(first: Probabilities, second: Probabilities) -> float:
    """Mean over rows of half the sum of absolute differences, 0..1."""
    return float(np.abs(first - second).sum(axis=1).mean() / 2)


def _cut_all(
    model: EmotionModel,
    landmarks: LandmarkModel,
    faces: LabelledFaces,
    change: tuple[Jitter, float],
    seed: int,
) -> Cut:
    jitter, degrees = change
    spec = model.card.face
    aligned, boxed, count = [], [], 0
    for index, image in enumerate(faces.images):
        random = np.random.default_rng((seed, index))
        canvas = with_surroundings(image, random, faces.images[random.integers(len(faces))])
        angle = degrees + random.uniform(-jitter.degrees, jitter.degrees)
        placed = turned_face(canvas, image.shape[0], angle)
        frame = jitter.moved(placed.frame, random)
        aligned_crop, plausible = _aligned(placed.grey, frame, spec, landmarks)
        aligned.append(aligned_crop)
        boxed.append(cut_face(placed.grey, box_framed_by(frame, spec.framing), spec))
        count += plausible
    return Cut(
        model.predict(np.stack(aligned)[..., None]).astype(np.float64),
        model.predict(np.stack(boxed)[..., None]).astype(np.float64),
        count / len(faces),
    )


def _aligned(grey: Grey, frame: Box, spec: FaceSpec, landmarks: LandmarkModel) -> tuple[Grey, bool]:
    """The crop that serving cuts from this frame, and whether it was aligned."""
    (located,) = landmarks.locate(grey, [box_framed_by(frame, landmarks.card.framing)])
    crop = cut_face(grey, box_framed_by(frame, spec.framing), spec, located.usable_points)
    return crop, located.plausible


def _accuracy(probabilities: Probabilities, faces: LabelledFaces) -> float:
    return float((probabilities.argmax(axis=1) == faces.labels).mean())
