"""Faces found, false alarms and processor time of several ways to look, on the same scenes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import thread_time

import cv2

from fer_gateway.analyzer import Analyzer, Stopwatch
from fer_gateway.vision.align import Grey
from fer_gateway.vision.cascade import FRONTAL_FACE, find_cascade
from fer_gateway.vision.geometry import Box, intersection_over_union
from fer_training.detection.scenes import Scene

LEAST_OVERLAP = 0.4
"""Intersection over union from which a box counts as the face."""

UPRIGHT = "upright, 80 to 240 px"
"""The group that the targets are about."""

REFERENCE = "reference"
"""`detectMultiScale(1.1, 5)` of the frontal cascade on the full picture."""

SMALL_SHARE = 0.05
"""`min_face` for those who look for small faces."""

BANDS_PX = ((40, 80), (80, 120), (120, 180), (180, 240))

Find = Callable[[Grey], Sequence[Box]]


@dataclass(slots=True)
class Tally:
    """What one way to look has found so far."""

    found: dict[str, int] = field(default_factory=dict)
    """Faces found, by group."""
    false: dict[str, int] = field(default_factory=dict)
    """Boxes that are no face, by condition of the scene."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Processor time of this thread, by condition of the scene."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The tallies of all ways to look, and over how much."""

    faces: Mapping[str, int]
    """Faces by group."""
    pictures: Mapping[str, int]
    """Scenes by condition."""
    tallies: Mapping[str, Tally]
    """By name of the way to look."""

    def recall(self, name: str, group: str) -> float:
        """Share of the faces of a group that were found; 0 for a group without faces."""
        return self.tallies[name].found.get(group, 0) / max(1, self.faces.get(group, 0))

    def false_per_picture(self, name: str, conditions: Iterable[str] | None = None) -> float:
        """Boxes that are no face, per scene of these conditions (default: all)."""
        wanted = list(self.pictures if conditions is None else conditions)
        pictures = sum(self.pictures.get(condition, 0) for condition in wanted)
        return sum(self.tallies[name].false.get(condition, 0) for condition in wanted) / max(1, pictures)

    def relative_time(self, name: str, reference: str, conditions: Iterable[str] | None = None) -> float:
        """Processor time over that of `reference`, on scenes of these conditions (default: all)."""
        wanted = list(self.pictures if conditions is None else conditions)
        own, other = (
            sum(self.tallies[way].seconds.get(condition, 0.0) for condition in wanted)
            for way in (name, reference)
        )
        return own / other if other else 0.0


def measure(scenes: Iterable[Scene], ways: Mapping[str, Find]) -> Measurement:
    """Let every way look at every scene, each time in another order, so that none gains by its place."""
    faces: dict[str, int] = {}
    pictures: dict[str, int] = {}
    tallies = {name: Tally() for name in ways}
    names = list(ways)
    for index, scene in enumerate(scenes):
        _add(pictures, scene.condition)
        for face in scene.faces:
            for group in groups_of(face, scene.condition):
                _add(faces, group)
        for place in range(len(names)):
            name = names[(index + place) % len(names)]
            _look(ways[name], scene, tallies[name])
    return Measurement(faces, pictures, tallies)


def groups_of(face: Box, condition: str) -> list[str]:
    """The groups that a face counts in: its condition, or where upright its size and the targets'."""
    if condition not in ("upright", "photo"):
        return [condition]
    bands = [f"upright, {low} to {high} px" for low, high in BANDS_PX if low <= face.side < high]
    return bands + ([UPRIGHT] if BANDS_PX[1][0] <= face.side <= BANDS_PX[-1][1] else [])


def matched(faces: Sequence[Box], boxes: Sequence[Box]) -> tuple[list[bool], int]:
    """Whether each face has a box of its own, and how many boxes are left over."""
    left = list(boxes)
    found = []
    for face in faces:
        best = max(left, key=lambda box: intersection_over_union(box, face), default=None)
        hit = best is not None and same_face(best, face)
        if best is not None and hit:
            left.remove(best)
        found.append(hit)
    return found, len(left)


def same_face(first: Box, second: Box) -> bool:
    """Whether two boxes show the same face."""
    return intersection_over_union(first, second) >= LEAST_OVERLAP


def ways_to_look() -> dict[str, Find]:
    """The reference, what a picture that is posted gets, and its parts.

    These are the look of the proposal network, and the cascades: their first look, and all of theirs.

    Raises:
        DetectorUnavailable: OpenCV here has no Haar cascades.
    """
    analyzer = Analyzer.open()
    detector = analyzer.detector
    reference = cv2.CascadeClassifier(str(find_cascade(FRONTAL_FACE)))
    return {
        REFERENCE: lambda grey: [Box(*map(float, box)) for box in reference.detectMultiScale(grey, 1.1, 5)],
        "single picture": lambda grey: [place.box for place in analyzer.find(grey)],
        "proposals": lambda grey: [place.box for place in analyzer.first_look(grey, 0.0, Stopwatch())],
        "first look": lambda grey: [found.box for found in detector.detect(grey, thorough=False)],
        "all looks": lambda grey: [found.box for found in detector.detect(grey)],
        f"all looks, `min_face` {SMALL_SHARE}": lambda grey: [
            found.box for found in detector.detect(grey, min_face=SMALL_SHARE)
        ],
    }


def _look(find: Find, scene: Scene, tally: Tally) -> None:
    started = thread_time()
    boxes = find(scene.grey)
    spent = thread_time() - started
    tally.seconds[scene.condition] = tally.seconds.get(scene.condition, 0.0) + spent
    found, false = matched(scene.faces, boxes)
    _add(tally.false, scene.condition, false)
    for face, hit in zip(scene.faces, found, strict=True):
        for group in groups_of(face, scene.condition):
            _add(tally.found, group, int(hit))


def _add(counts: dict[str, int], key: str, amount: int = 1) -> None:
    counts[key] = counts.get(key, 0) + amount
