"""From a whole picture to the label of its face, beside the same faces cut at their known place."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_gateway.analyzer import Analyzer
from fer_gateway.contract import EndToEnd
from fer_gateway.faces import Face
from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box, intersection_over_union
from fer_training.detection.scenes import make_single
from fer_training.measure.bootstrap import interval_of, interval_of_mean, resamples

SIDES_PX = (80.0, 240.0)
JPEG_QUALITY = 80

LEAST_OVERLAP = 0.25
"""Intersection over union of a box and the pasted picture from which the box is its face, as in `framing`:
pictures of data sets are no boxes of faces, which may be half as wide; no other face is near."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """What became of N faces in pictures of their own."""

    found: NDArray[np.bool_]
    """N."""
    probabilities: NDArray[np.float64]
    """N x K; a row of zeros where the face was not found."""
    other_boxes: int
    """Boxes that are not the pasted face, over all pictures."""


def look_at(
    analyzer: Analyzer, images: NDArray[np.uint8], grounds: Sequence[Grey], seed: int = 0
) -> Sightings:
    """Put each face (N x S x S) into a picture of 640 x 480 and let the gateway analyse the JPEG file.

    Faces are 80 to 240 px large, the same for the same seed; quality 80. Of the boxes that overlap the pasted
    face by `LEAST_OVERLAP` (intersection over union), the one that does so most is its own; a face without
    one is not found.
    """
    found = np.zeros(len(images), np.bool_)
    probabilities = np.zeros((len(images), len(analyzer.card.labels)))
    others = 0
    for index, image in enumerate(tqdm(images, desc="pictures", mininterval=1, disable=None)):
        scene = make_single(image, grounds, SIDES_PX, np.random.default_rng((seed, index)))
        _, data = cv2.imencode(".jpg", scene.grey, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        analysis = analyzer.analyze(data.tobytes())
        own = own_face(analysis.faces, scene.faces[0], analysis.width, analysis.height)
        others += len(analysis.faces) - (own is not None)
        if own is not None:
            found[index], probabilities[index] = True, own.probabilities
    return Sightings(found, probabilities, others)


def own_face(faces: Sequence[Face], place: Box, width: int, height: int) -> Face | None:
    """The answer whose box overlaps `place` (pixels) most, and enough; none where there is no such."""

    def overlap(face: Face) -> float:
        box = face.box
        pixels = Box(box.x * width, box.y * height, box.width * width, box.height * height)
        return intersection_over_union(pixels, place)

    best = max(faces, key=overlap, default=None)
    return best if best is not None and overlap(best) >= LEAST_OVERLAP else None


def compare(
    data: str, sightings: Sightings, in_place: NDArray[np.floating], labels: NDArray[np.int64], seed: int = 0
) -> EndToEnd:
    """Both accuracies on the same faces: `in_place` (N x K) for those cut at their known place, labels N."""
    right = sightings.found & (sightings.probabilities.argmax(axis=1) == labels)
    right_in_place = in_place.argmax(axis=1) == labels
    lost = right_in_place.astype(np.float64) - right
    drawn = [100 * lost[rows].mean() for rows in resamples(len(labels), seed)]
    return EndToEnd(
        data=data,
        faces=len(labels),
        accuracy=interval_of_mean(right, seed),
        crop_accuracy=interval_of_mean(right_in_place, seed),
        loss_points=interval_of(100 * float(lost.mean()), drawn, digits=2),
        not_found=round(1 - float(sightings.found.mean()), 4),
        least_overlap=LEAST_OVERLAP,
        accuracy_of_found=round(float(right[sightings.found].mean()), 4) if sightings.found.any() else 0.0,
        other_boxes=round(sightings.other_boxes / len(labels), 4),
    )
