"""How well `FaceDetector.search` finds known faces again."""

from collections.abc import Iterable
from dataclasses import dataclass
from time import thread_time

import numpy as np

from fer_gateway.vision.align import Grey
from fer_gateway.vision.detect import FaceDetector
from fer_gateway.vision.geometry import Box
from fer_training.detection.measure import same_face
from fer_training.detection.scenes import Scene


@dataclass(frozen=True, slots=True)
class SearchMeasurement:
    """How `search` does near faces that the first look found, their boxes shifted and resized at random."""

    faces: int
    found: float
    """Share of the faces that it finds again."""
    places: int
    false: float
    """Share of places without a face, in empty scenes, where it finds one."""
    relative_time: float
    """Processor time for one box over that of a first look."""


def measure_search(scenes: Iterable[Scene], detector: FaceDetector, seed: int = 0) -> SearchMeasurement:
    """Search near known faces, moved and resized by up to 15 % of their side, and in empty scenes."""
    random = np.random.default_rng(seed)
    faces = found = places = false = searched = looks = 0
    look_seconds = search_seconds = 0.0
    for scene in scenes:
        started = thread_time()
        seen = [one.box for one in detector.detect(scene.grey, thorough=False)]
        look_seconds += thread_time() - started
        looks += 1
        if scene.condition == "empty":
            known = [_anywhere(scene.grey, random)]
        else:
            known = [box for box in seen if any(same_face(box, face) for face in scene.faces)]
        started = thread_time()
        answers = detector.search(scene.grey, [_moved(box, random) for box in known])
        search_seconds += thread_time() - started
        searched += len(known)
        if scene.condition == "empty":
            places += 1
            false += sum(answer is not None for answer in answers)
        else:
            faces += len(known)
            pairs = zip(known, answers, strict=True)
            found += sum(answer is not None and same_face(answer.box, box) for box, answer in pairs)
    relative = (search_seconds / max(1, searched)) / (look_seconds / max(1, looks) or 1.0)
    return SearchMeasurement(faces, found / max(1, faces), places, false / max(1, places), relative)


def _moved(box: Box, random: np.random.Generator) -> Box:
    x, y = np.array(box.centre) + random.uniform(-0.15, 0.15, 2) * box.side
    side = box.side * random.uniform(0.85, 1.15)
    return Box(float(x) - side / 2, float(y) - side / 2, side, side)


def _anywhere(grey: Grey, random: np.random.Generator) -> Box:
    side = float(random.uniform(60, 240))
    return Box(random.uniform(0, grey.shape[1] - side), random.uniform(0, grey.shape[0] - side), side, side)
