"""What a `LiveAnalyzer` makes of a clip, beside what is true."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from fer_gateway.analyzer import Analyzer
from fer_gateway.faces import Analysis, Face
from fer_gateway.live import LiveAnalyzer
from fer_gateway.vision.align import Grey
from fer_gateway.vision.detect import Detection, FaceDetector
from fer_gateway.vision.geometry import Box, intersection_over_union

from .clips import ClipFrame

_SAME = 0.3


class CountingDetector(FaceDetector):
    """Counts the frames it scans whole."""

    scans = 0

    def detect(self, grey: Grey, *, min_face: float = 0.0, thorough: bool = True) -> list[Detection]:
        self.scans += 1
        return super().detect(grey, min_face=min_face, thorough=thorough)


def scans_of(analyzer: Analyzer) -> int:
    assert isinstance(analyzer.detector, CountingDetector)
    return analyzer.detector.scans


@dataclass
class Report:
    """What was seen of each face of a clip."""

    ids: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Of each frame in which the face was found while no other covered it."""
    labels: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Labels of each id, frame by frame."""
    visible: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Frames in which the face was there and not covered."""
    strays: int = 0
    """Faces that were found where none is."""
    frames: int = 0
    analyses: list[Analysis] = field(default_factory=list)

    def share_found(self, name: str) -> float:
        return len(self.ids[name]) / self.visible[name]

    def switches(self, name: str) -> int:
        """How often the id of a face changed."""
        return sum(first != second for first, second in pairwise(self.ids[name]))

    @property
    def label_changes(self) -> int:
        return sum(first != second for labels in self.labels.values() for first, second in pairwise(labels))


def watch(live: LiveAnalyzer, frames: Iterable[ClipFrame]) -> Report:
    """Run the frames through and compare."""
    report = Report()
    for frame in frames:
        analysis = live.analyze(frame.jpeg, frame.captured_ms)
        report.frames += 1
        report.analyses.append(analysis)
        pairs = paired(analysis, frame.truth)
        for name in frame.truth.keys() - frame.hidden:
            report.visible[name] += 1
            if name in pairs:
                face = pairs[name]
                assert face.id is not None
                report.ids[name].append(face.id)
        for face in pairs.values():
            assert face.id is not None
            report.labels[face.id].append(face.label)
        report.strays += len(analysis.faces) - len(pairs)
    return report


def paired(analysis: Analysis, truth: dict[str, Box]) -> dict[str, Face]:
    """The found face that shows each true one, the best pairs first."""
    width, height = analysis.width, analysis.height
    overlaps = sorted(
        (
            (intersection_over_union(pixels(face.box, width, height), box), name, index)
            for index, face in enumerate(analysis.faces)
            for name, box in truth.items()
        ),
        reverse=True,
    )
    pairs: dict[str, int] = {}
    for overlap, name, index in overlaps:
        if overlap > _SAME and name not in pairs and index not in pairs.values():
            pairs[name] = index
    return {name: analysis.faces[index] for name, index in pairs.items()}


def pixels(box: Box, width: int, height: int) -> Box:
    """A box in fractions of the picture, in its pixels."""
    return Box(box.x * width, box.y * height, box.width * width, box.height * height)
