"""How a model's accuracy falls as faces get worse, and where the limits of `Quality` should lie."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_gateway.contract import FaceSpec, Robustness, RobustnessPoint
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.align import box_framed_by, cut_face
from fer_gateway.vision.quality import Quality, measure_quality
from fer_training.data.labelled import LabelledFaces
from fer_training.measure.disturb import DISTURBANCES, Disturbance, Scene, plain

FALL = 0.10
"""By how much accuracy has fallen, against faces as they are, where a limit lies."""

LEAST_FACES = 50
"""Fewer faces in a bin tell nothing."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A measure of `Quality`, what spoils it, and where to look for its limit."""

    measure: str
    disturbances: tuple[str, ...]
    edges: tuple[float, ...]
    low_is_bad: bool = True


WATCHES = (
    Watch("size_px", ("small",), (0, 14, 18, 22, 26, 30, 36, 44, 60)),
    Watch("inside", ("cut",), (0, 0.55, 0.65, 0.75, 0.85, 0.95, 1.01)),
    Watch("contrast", ("dark", "pale"), (0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.16, 0.51)),
    Watch("overexposed", ("bright",), (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 1.01), False),
    Watch("sharpness", ("blur", "motion"), (0, 0.06, 0.1, 0.14, 0.18, 0.2, 0.22, 0.26, 0.3, 0.4, 1.01)),
    Watch("yaw_degrees", (), (0, 10, 20, 25, 30, 35, 40, 50, 90), False),
    Watch("pitch_degrees", (), (0, 5, 10, 12.5, 15, 20, 30, 90), False),
    Watch("roll_degrees", ("tilt",), (0, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 90), False),
)


CARD_LEVELS: Mapping[str, tuple[float, ...]] = {
    "jpeg": (90, 70, 50, 30),
    "blur": (0.8, 1.5, 2),
    "noise": (10, 20),
    "dark": (0.3, 0.1),
    "small": (24, 16),
    "tilt": (20,),
    "covered": (0.1, 0.2, 0.3),
}
"""What a card tells of `DISTURBANCES`."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What N faces looked like and how they were answered."""

    qualities: tuple[Quality, ...]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]

    def values(self, measure: str) -> NDArray[np.float64]:
        """One measure of every face, angles without their sign; NaN where it has none."""
        return np.abs(np.array([getattr(quality, measure) for quality in self.qualities], np.float64))

    def error_above(self, threshold: float) -> float:
        """The share of wrong answers among those with at least this confidence; NaN without any."""
        kept = self.confidence >= threshold
        return float(1 - self.right[kept].mean()) if kept.any() else float("nan")


@dataclass(frozen=True, slots=True)
class Bin:
    """Faces with a measure from `low` to `high`."""

    low: float
    high: float
    faces: int
    accuracy: float
    error_kept: float
    """Of the confident answers, see `Answers.error_above`."""


def answer(
    model: EmotionModel, landmarks: LandmarkModel, faces: LabelledFaces, how: Disturbance, level: float
) -> Answers:
    """Disturb every face, and read it as serving would from a Haar box in its place; the same each time."""
    spec = model.card.face
    crops = np.empty((len(faces), spec.size_px, spec.size_px, 1), np.uint8)
    qualities = []
    for index, image in enumerate(faces.images):
        scene = how.disturb(image, level, np.random.default_rng(index))
        crops[index, ..., 0], quality = _read(scene, spec, landmarks)
        qualities.append(quality)
    probabilities = model.predict(crops).astype(np.float64)
    right = probabilities.argmax(axis=1) == faces.labels
    return Answers(tuple(qualities), right, probabilities.max(axis=1))


def answer_plain(model: EmotionModel, landmarks: LandmarkModel, faces: LabelledFaces) -> Answers:
    """The answers to faces as they are."""
    return answer(model, landmarks, faces, Disturbance(plain, (0,), ""), 0)


def measure_robustness(
    model: EmotionModel, landmarks: LandmarkModel, faces: LabelledFaces, data: str
) -> Robustness:
    """The summary for a card: `CARD_LEVELS` on these faces, which `data` names."""
    untouched = answer_plain(model, landmarks, faces).right.mean()
    points = []
    pairs = [(name, level) for name, levels in CARD_LEVELS.items() for level in levels]
    for name, level in tqdm(pairs, desc="disturbances", mininterval=1, disable=None):
        accuracy = answer(model, landmarks, faces, DISTURBANCES[name], level).right.mean()
        points.append(
            RobustnessPoint(
                disturbance=name,
                strength=level,
                unit=DISTURBANCES[name].unit,
                accuracy=round(float(accuracy), 4),
                loss_points=round(100 * float(untouched - accuracy), 2),
            )
        )
    return Robustness(data=data, faces=len(faces), accuracy=round(float(untouched), 4), points=tuple(points))


def joined(parts: Sequence[Answers]) -> Answers:
    """The answers of several sets as one."""
    return Answers(
        tuple(quality for part in parts for quality in part.qualities),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.confidence for part in parts]),
    )


def bins_of(watch: Watch, answers: Answers, threshold: float) -> list[Bin]:
    """Accuracy by measure; bins with fewer than `LEAST_FACES` faces are left out."""
    values = answers.values(watch.measure)
    bins = []
    for low, high in itertools.pairwise(watch.edges):
        inside = (values >= low) & (values < high)
        if inside.sum() < LEAST_FACES:
            continue
        part = Answers((), answers.right[inside], answers.confidence[inside])
        accuracy = float(part.right.mean())
        bins.append(Bin(low, high, len(part.right), accuracy, part.error_above(threshold)))
    return bins


def reference_of(watch: Watch, answers: Answers) -> float:
    """Accuracy of the better half of the faces by this measure."""
    values = answers.values(watch.measure)
    middle = np.nanmedian(values)
    better = values >= middle if watch.low_is_bad else values <= middle
    return float(answers.right[better].mean())


def limit_of(watch: Watch, bins: Sequence[Bin], reference: float) -> float | None:
    """The edge beyond which every bin is `FALL` or more less accurate than `reference`, if there is one."""
    limit = None
    for piece in bins if watch.low_is_bad else reversed(bins):
        if piece.accuracy > reference - FALL:
            break
        limit = piece.high if watch.low_is_bad else piece.low
    return limit


def _read(scene: Scene, spec: FaceSpec, landmarks: LandmarkModel) -> tuple[NDArray[np.uint8], Quality]:
    (located,) = landmarks.locate(scene.grey, [box_framed_by(scene.frame, landmarks.card.framing)])
    points, box = located.usable_points, box_framed_by(scene.frame, spec.framing)
    crop = cut_face(scene.grey, box, spec, points)
    return crop, measure_quality(scene.grey, box, spec, points)
