"""One Haar cascade: its file, its windows, and the plain scan (Viola, Jones; equations 1-2 of the paper)."""

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from fer_gateway.contract import FaceSpec
from fer_gateway.errors import DetectorUnavailable
from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box

FRONTAL_FACE = "haarcascade_frontalface_default.xml"
_FIX = "install `opencv-python-headless>=4.10,<5` (on Termux: `pkg install opencv-python`)"
_SHARED_MAX = 0.5
_GROUP_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Cluster:
    """Windows about one place that passed a cascade: their mean, and how many they are."""

    box: Box
    hits: int


class Cascade:
    """A cascade for any number of threads: each gets a classifier of its own, made at its first use."""

    def __init__(self, name: str) -> None:
        """Load it once, to fail here rather than at the first picture.

        Raises:
            DetectorUnavailable: this OpenCV has no cascades, or not this one.
        """
        self.path = find_cascade(name)
        self._local = threading.local()
        first = _load(self.path)
        self._loaded = [first]  # for the first thread that asks
        self.window_px: int = first.getOriginalWindowSize()[0]

    @property
    def classifier(self) -> cv2.CascadeClassifier:
        """This thread's own; not to be shared, `detectMultiScale` writes into buffers of the classifier."""
        classifier: cv2.CascadeClassifier | None = getattr(self._local, "classifier", None)
        if classifier is None:
            try:
                classifier = self._loaded.pop()
            except IndexError:
                classifier = _load(self.path)
            self._local.classifier = classifier
        return classifier

    def clusters(self, grey: Grey, step: float, least_px: float = 0, most_px: float = 0) -> list[Cluster]:
        """Every place of a picture (H x W, uint8) where at least one window passes.

        Args:
            grey: the picture.
            step: ratio of two sizes of the searching window.
            least_px: side of the smallest window; at least that of training.
            most_px: side of the largest window; 0 for no limit.
        """
        least, most = max(self.window_px, round(least_px)), round(most_px)
        windows = self.classifier.detectMultiScale(
            grey, scaleFactor=step, minNeighbors=0, minSize=(least, least), maxSize=(most, most)
        )
        if not len(windows):
            return []
        # `groupRectangles` drops what is alone, even asked for groups of one: so everything goes in twice.
        twice = [list(map(int, window)) for window in windows] * 2
        boxes, counts = cv2.groupRectangles(twice, 1, _GROUP_SPREAD)
        return [
            Cluster(Box(*map(float, box)), int(count) // 2) for box, count in zip(boxes, counts, strict=True)
        ]


class HaarDetector:
    """OpenCV's scan with one cascade on a reduced picture; one instance serves any number of threads."""

    def __init__(
        self,
        cascade: str = FRONTAL_FACE,
        *,
        max_side_px: int = 480,
        scale_factor: float = 1.15,
        min_neighbours: int = 5,
        min_face_px: int = 32,
    ) -> None:
        """Load the cascade once, to fail here rather than at the first picture.

        Args:
            cascade: file name of the cascade, see `find_cascade`.
            max_side_px: pictures with a longer side are shrunk to it; the cost grows with its square.
            scale_factor: step between two sizes of the searching window.
            min_neighbours: overlapping hits that make a face; fewer find more faces and more that are none.
            min_face_px: smallest face, in pixels of the shrunk picture.

        Raises:
            DetectorUnavailable: this OpenCV has no cascades.
        """
        self._cascade = Cascade(cascade)
        self._max_side_px = max_side_px
        self._scale_factor = scale_factor
        self._min_neighbours = min_neighbours
        self._min_face_px = min_face_px

    @property
    def path(self) -> Path:
        """The cascade's file."""
        return self._cascade.path

    def detect(self, grey: Grey) -> list[Box]:
        """The faces of a picture (H x W, uint8): square boxes in its pixels, largest first."""
        height, width = grey.shape
        factor = min(1.0, self._max_side_px / max(height, width))
        if factor < 1:
            size = max(1, round(width * factor)), max(1, round(height * factor))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        rectangles, hits = self._cascade.classifier.detectMultiScale2(
            grey,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbours,
            minSize=(self._min_face_px, self._min_face_px),
        )
        boxes = [Box(*map(float, rectangle)).scaled(1 / factor) for rectangle in rectangles]
        return merge(boxes, [int(count) for count in hits])


def merge(boxes: Sequence[Box], hits: Sequence[int]) -> list[Box]:
    """One box a face, largest first: of two that share half the smaller, the one with more `hits` stays."""
    return [boxes[index] for index in distinct(boxes, hits)]


def distinct(boxes: Sequence[Box], weights: Sequence[float]) -> list[int]:
    """Indices of one box a face, largest first; of two that share half the smaller, the heavier stays."""
    order = sorted(range(len(boxes)), key=lambda index: (-weights[index], -boxes[index].area))
    kept: list[int] = []
    for index in order:
        if all(_shared(boxes[index], boxes[other]) <= _SHARED_MAX for other in kept):
            kept.append(index)
    return sorted(kept, key=lambda index: -boxes[index].area)


def find_cascade(name: str = FRONTAL_FACE) -> Path:
    """The cascade file that belongs to the installed OpenCV.

    Raises:
        DetectorUnavailable: OpenCV is built without cascades (version 5 is), or the file is missing.
    """
    if not hasattr(cv2, "CascadeClassifier"):
        raise DetectorUnavailable(f"OpenCV `{cv2.__version__}` has no `CascadeClassifier`; {_FIX}.")
    folders = [Path(os.environ.get("PREFIX", "/usr")) / "share" / "opencv4" / "haarcascades"]
    packaged = getattr(cv2, "data", None)  # only in wheels
    if packaged is not None:
        folders.insert(0, Path(packaged.haarcascades))
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = " or ".join(f"`{folder}`" for folder in folders)
    raise DetectorUnavailable(f"`{name}` is not in {places}; {_FIX}.")


def cascade_sha256(path: Path) -> str:
    """SHA-256 of a cascade file, as the model card holds it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cascade_warning(path: Path, spec: FaceSpec) -> str | None:
    """What to know where the cascade at `path` is not that of training; faces are found all the same."""
    if cascade_sha256(path) == spec.cascade_sha256:
        return None
    return (
        f"`{path}` is not the `{spec.detector}` that the model was trained with: boxes and emotions may "
        "differ; install `opencv-python-headless>=4.10,<5` from the package index."
    )


def _load(path: Path) -> cv2.CascadeClassifier:
    cascade = cv2.CascadeClassifier()
    try:
        loaded = cascade.load(str(path))
    except cv2.error:
        loaded = False
    if not loaded:
        raise DetectorUnavailable(f"`{path}` is no Haar cascade; {_FIX}.")
    return cascade


def _shared(first: Box, second: Box) -> float:
    """Area of the intersection over that of the smaller box, 0..1."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(first.area, second.area)
