"""Faces in whole pictures and near known places, by three Haar cascades that check each other."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from fer_gateway.vision.align import Grey
from fer_gateway.vision.cascade import FRONTAL_FACE, Cascade, Cluster, distinct
from fer_gateway.vision.geometry import Box, intersection_over_union
from fer_gateway.vision.patch import bounded, cut_patch, resized, turned_upright

QUICK_FACE = "haarcascade_frontalface_alt2.xml"
"""Finds more faces than `FRONTAL_FACE` in less time; its windows of 20 px do with a smaller picture."""

PROFILE_FACE = "haarcascade_profileface.xml"
"""Knows faces that look to one side; the mirrored picture gives the other."""

# Numbers chosen by `python -m fer_training detection` on validation scenes: see training/DETECTION.md.
_SMALLEST_FACE = 0.08  # of the shorter side
_STEP = 1.15
_LEAST_EVIDENCE = 6.5

_FALLBACK_SMALLEST = 0.12
_FALLBACK_STEP = 1.2
_FALLBACK_EVIDENCE = 8.0
_PROFILE_EVIDENCE = 6.0
_FALLBACK_SHORT_PX = 240
_TURN_DEGREES = 25.0
_INSIDE = 0.85  # of a tilted face's box: about its edge a turned picture is made up
_CLIP_LIMIT, _TILES = 2.0, (8, 8)

_SEARCH_REACH = 2.0  # side of the searched patch, in sides of the known box
_SEARCH_SIZES = (0.75, 1.35)
_SEARCH_STEP = 1.1
_SEARCH_EVIDENCE = 5.0

_FINE_STEP = 1.08
_FINE_REACH = 1.6
_FINE_SIZES = (0.7, 1.4)
_SAME_PLACE = 0.4

_LEAST_SHORT_PX = 100


@dataclass(frozen=True, slots=True)
class Detection:
    """A face as the detector found it."""

    box: Box
    """Square, upright, in pixels of the picture."""
    roll_degrees: float = 0.0
    """How far the picture was turned to find it: the face's tilt, clockwise on the screen."""
    frontal: bool = True
    """Whether a frontal cascade found it; otherwise the profile one."""


@dataclass(frozen=True, slots=True)
class _Found:
    detection: Detection
    evidence: float


class FaceDetector:
    """Finds faces in whole pictures and near known places; serves any number of threads at a time.

    The quick cascade scans a reduced picture; each place where even one of its windows passes is looked at
    again, finely, by the quick cascade and by the named one. Many weak witnesses find more faces than one
    strict scan, and raise fewer false alarms. Both cascades draw the same box to within 4 % of its side.
    """

    def __init__(self, cascade: str = FRONTAL_FACE) -> None:
        """Load the cascades.

        Args:
            cascade: the one whose boxes the model was trained with; see `find_cascade`.

        Raises:
            DetectorUnavailable: this OpenCV has no cascades, or not all of these.
        """
        self._named = Cascade(cascade)
        self._quick = Cascade(QUICK_FACE)
        self._profile = Cascade(PROFILE_FACE)

    @property
    def path(self) -> Path:
        """The named cascade's file."""
        return self._named.path

    def detect(self, grey: Grey, *, min_face: float = 0.0, thorough: bool = True) -> list[Detection]:
        """The faces of a picture, largest first.

        Args:
            grey: H x W, uint8, of any size.
            min_face: side of the smallest face to look for, as a share of the shorter side, 0..1; 0 is the
                default, 0.08. Of pictures over 1920 px, reduced to that, only what is then 20 px is found.
            thorough: where upright frontal faces are not to be found, whether to look for dark, tilted
                (about 25 degrees) and turned ones: all looks together cost three times the first.
        """
        share = min_face or _SMALLEST_FACE
        clusters = _scan(self._quick, grey, share * min(grey.shape), _STEP)
        found = self._judged(grey, clusters, self._quick, self._named, _LEAST_EVIDENCE)
        if not found and thorough:
            found = self._look_again(grey, max(share, _FALLBACK_SMALLEST))
        return _distinct(found)

    def search(self, grey: Grey, boxes: Sequence[Box]) -> list[Detection | None]:
        """For each known box (pixels), the upright face that now lies near it at about its size.

        None where it is gone, and for boxes that are empty, under 8 px or outside the picture (H x W, uint8).
        """
        return [self._near(grey, box) for box in boxes]

    def _near(self, grey: Grey, box: Box) -> Detection | None:
        low, high = _SEARCH_SIZES
        side_px = self._quick.window_px / low
        patch = cut_patch(grey, box, _SEARCH_REACH, side_px)
        if patch is None:
            return None
        clusters = self._quick.clusters(patch.grey, _SEARCH_STEP, side_px * low, side_px * high)
        there = [Cluster(patch.to_picture(cluster.box), cluster.hits) for cluster in clusters]
        found = self._judged(grey, there, self._quick, self._named, _SEARCH_EVIDENCE)
        best = max(found, key=lambda one: one.evidence, default=None)
        return None if best is None else best.detection

    def _look_again(self, grey: Grey, share: float) -> list[_Found]:
        """The costlier looks, until one finds something: lighting evened out, tilted both ways, profiles."""
        factor = bounded(grey, _FALLBACK_SHORT_PX / min(grey.shape))
        small = resized(grey, factor)
        least_px = share * min(small.shape)
        return (
            self._back(self._even(small, least_px), factor)
            or self._back(self._tilted(small, least_px), factor)
            or self._back(self._turned(small, least_px), factor)
        )

    def _even(self, grey: Grey, least_px: float) -> list[_Found]:
        even = np.asarray(cv2.createCLAHE(_CLIP_LIMIT, _TILES).apply(grey), np.uint8)
        return self._frontal_again(even, least_px)

    def _tilted(self, grey: Grey, least_px: float) -> list[_Found]:
        found = []
        for degrees in (-_TURN_DEGREES, _TURN_DEGREES):
            turned, back = turned_upright(grey, degrees)
            for one in self._frontal_again(turned, least_px):
                x, y = back @ np.array([*one.detection.box.centre, 1.0])
                side = one.detection.box.side
                box = Box(float(x) - side / 2, float(y) - side / 2, side, side)
                if box.clipped(grey.shape[1], grey.shape[0]).area >= _INSIDE * box.area:
                    found.append(replace(one, detection=Detection(box, roll_degrees=degrees)))
        return found

    def _turned(self, grey: Grey, least_px: float) -> list[_Found]:
        found = []
        for picture, mirrored in ((grey, False), (np.ascontiguousarray(grey[:, ::-1]), True)):
            clusters = _scan(self._profile, picture, least_px, _FALLBACK_STEP)
            for one in self._judged(picture, clusters, self._profile, self._quick, _PROFILE_EVIDENCE):
                box = one.detection.box
                if mirrored:
                    box = replace(box, x=grey.shape[1] - box.x - box.width)
                found.append(replace(one, detection=Detection(box, frontal=False)))
        return found

    def _frontal_again(self, grey: Grey, least_px: float) -> list[_Found]:
        clusters = _scan(self._quick, grey, least_px, _FALLBACK_STEP)
        return self._judged(grey, clusters, self._quick, self._named, _FALLBACK_EVIDENCE)

    def _back(self, found: Iterable[_Found], factor: float) -> list[_Found]:
        return [
            replace(one, detection=replace(one.detection, box=one.detection.box.scaled(1 / factor)))
            for one in found
        ]

    def _judged(
        self, grey: Grey, clusters: Iterable[Cluster], first: Cascade, second: Cascade, least: float
    ) -> list[_Found]:
        """Those clusters (pixels of `grey`) that a finer look by two cascades bears out.

        evidence = 2 log2(1 + hits of the scan) + 2 log2(1 + hits of `first`) + log2(1 + hits of `second`),
        a logistic regression of face or not on these three, rounded.
        """
        found = []
        for cluster in clusters:
            again, checked = (_fine(cascade, grey, cluster.box) for cascade in (first, second))
            evidence = 2 * math.log2((1 + cluster.hits) * (1 + again.hits)) + math.log2(1 + checked.hits)
            if evidence >= least:
                found.append(_Found(Detection(_mean_box((again, checked))), evidence))
        return found


def _scan(cascade: Cascade, grey: Grey, least_px: float, step: float) -> list[Cluster]:
    """Clusters of faces from `least_px` wide on, both in pixels of `grey`, found on a reduced picture."""
    factor = bounded(grey, max(cascade.window_px / least_px, _LEAST_SHORT_PX / min(grey.shape)))
    clusters = cascade.clusters(resized(grey, factor), step, least_px * factor)
    return [Cluster(cluster.box.scaled(1 / factor), cluster.hits) for cluster in clusters]


def _fine(cascade: Cascade, grey: Grey, box: Box) -> Cluster:
    """How many windows pass about `box` (pixels of `grey`) in a finer look, and their mean box.

    Faces are then nearly twice as large as the cascade's window: many windows pass at a face, few elsewhere.
    """
    side_px = 1.8 * cascade.window_px
    low, high = _FINE_SIZES
    patch = cut_patch(grey, box, _FINE_REACH, side_px)
    if patch is None:
        return Cluster(box, 0)
    clusters = cascade.clusters(patch.grey, _FINE_STEP, side_px * low, side_px * high)
    there = [Cluster(patch.to_picture(cluster.box), cluster.hits) for cluster in clusters]
    same = [cluster for cluster in there if intersection_over_union(cluster.box, box) > _SAME_PLACE]
    return max(same, key=lambda cluster: cluster.hits, default=Cluster(box, 0))


def _mean_box(clusters: Sequence[Cluster]) -> Box:
    """The mean square of clusters, by their hits; nearer to the face than either cascade's own."""
    weights = [cluster.hits + 1e-6 for cluster in clusters]
    squares = [(*cluster.box.centre, cluster.box.side) for cluster in clusters]
    x, y, side = (float(value) for value in np.average(squares, axis=0, weights=weights))
    return Box(x - side / 2, y - side / 2, side, side)


def _distinct(found: Sequence[_Found]) -> list[Detection]:
    boxes = [one.detection.box for one in found]
    return [found[index].detection for index in distinct(boxes, [one.evidence for one in found])]
