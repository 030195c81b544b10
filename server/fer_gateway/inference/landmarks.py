"""The landmark model: five points of a face from a rough box, or from where they were a moment ago."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fer_gateway.contract import INPUT_NAME, LANDMARK_CARD_KEY, LandmarkCard
from fer_gateway.errors import SelfTestFailed
from fer_gateway.inference.cards import card_in, open_file
from fer_gateway.inference.providers import CPU, REFUSALS
from fer_gateway.inference.self_test import make_crops
from fer_gateway.vision.align import Grey, box_matrix, centred, framed, points_matrix, warp
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import MIRRORED, Matrix, Points, inverted, transformed

POINTS_NAME = "points"
"""Graph output: float32, N x 5 x 2, fractions of the crop."""

ERROR_NAME = "error"
"""Graph output: float32, N, the mean error that the network expects of its points, in crop sides."""


@dataclass(frozen=True, slots=True)
class Located:
    """Five points of one face and how far they can be trusted."""

    points: Points
    """5 x 2 in pixels of the picture, rows as in `vision.landmarks.POINT_NAMES`."""
    expected_error: float
    """Estimated mean error of the points over the distance of the eyes."""
    plausible: bool
    """Whether that is small enough to align the face by them."""
    is_face: bool
    """Whether it is small enough to believe that there is a face at all."""

    @property
    def usable_points(self) -> Points | None:
        """The points, where they are good enough to cut the face by them."""
        return self.points if self.plausible else None


class LandmarkModel:
    """One instance serves any number of threads at a time."""

    def __init__(self, session: onnxruntime.InferenceSession, card: LandmarkCard) -> None:
        self._session = session
        self.card = card
        self._template = np.array(card.template)
        eyes = self._template[1] - self._template[0]
        # crop sides to distances of the eyes
        self._whole = (1 + 2 * card.margin) / float(np.hypot(*eyes))

    @classmethod
    def open(cls, path: Path, *, threads: int = 1, providers: Sequence[str] = (CPU,)) -> Self:
        """Load the file, read its card, and prove that it answers as at export.

        Raises:
            ModelNotFound: no such file.
            InvalidModel: no ONNX graph, or no card in it that fits.
            ProviderUnavailable: see `open_session`.
            SelfTestFailed: the answers differ from those at export.
        """
        session = open_file(
            path, called="landmark model", named_by="`FER_LANDMARKS`", threads=threads, providers=providers
        )
        card = card_in(
            session, path, key=LANDMARK_CARD_KEY, kind=LandmarkCard, command="fer_training landmarks"
        )
        model = cls(session, card)
        model.self_test()
        return model

    def locate(self, grey: Grey, boxes: Sequence[Box], rolls: Sequence[float] | None = None) -> list[Located]:
        """The points of the faces in Haar boxes: a look at each box, then one at the face as it lies.

        Args:
            grey: H x W, uint8.
            boxes: in pixels of `grey`; may reach over its edges.
            rolls: how far each face is turned clockwise, in degrees, where that is known; else upright.
        """
        return self.follow(grey, [seen.points for seen in self.glance(grey, boxes, rolls)])

    def glance(self, grey: Grey, boxes: Sequence[Box], rolls: Sequence[float] | None = None) -> list[Located]:
        """What one look at each Haar box tells, the first of those of `locate`; a third of the time."""
        if not boxes:
            return []
        size, margin = self.card.size_px, self.card.margin
        angles = rolls if rolls is not None else [0.0] * len(boxes)
        matrices = [
            box_matrix(framed(box, self.card.framing), size, margin=margin, roll_degrees=roll)
            for box, roll in zip(boxes, angles, strict=True)
        ]
        places, errors = self.run(self._cut(grey, matrices))
        return self._located(places, matrices, errors * self._whole)

    def follow(self, grey: Grey, points: Sequence[Points]) -> list[Located]:
        """The points of faces that are known to lie near `points` (5 x 2 each): one look at each, both ways.

        Its mirror image is looked at too: the mean of both is nearer to the truth than either.
        """
        if not points:
            return []
        matrices = [
            points_matrix(known, self._template, self.card.size_px, margin=self.card.margin)
            for known in points
        ]
        crops = self._cut(grey, matrices)
        both, errors = self.run(np.concatenate([crops, crops[:, :, ::-1]]))
        count = len(crops)
        straight, turned = both[:count], both[count:][:, list(MIRRORED)] * (-1, 1) + (1, 0)
        apart = straight - turned
        disagreement = np.hypot(apart[..., 0], apart[..., 1]).mean(axis=1)
        expected = np.maximum((errors[:count] + errors[count:]) / 2, disagreement / 2) * self._whole
        middle = (straight + turned) / 2
        return self._located(middle, matrices, expected)

    def _located(
        self, places: NDArray[np.float64], matrices: Sequence[Matrix], expected: NDArray[np.float64]
    ) -> list[Located]:
        """Points in fractions of their crops (N x 5 x 2), with errors in distances of the eyes (N)."""
        return [
            Located(
                points=transformed(place * self.card.size_px, inverted(matrix)),
                expected_error=float(error),
                plausible=bool(error < self.card.plausible_below),
                is_face=bool(error < self.card.face_below),
            )
            for place, matrix, error in zip(places, matrices, expected, strict=True)
        ]

    def run(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The bare network: crops N x S x S x 1 -> points N x 5 x 2 and expected error N, in crop sides."""
        points, errors = self._session.run(
            [POINTS_NAME, ERROR_NAME], {INPUT_NAME: np.ascontiguousarray(crops)}
        )
        return np.asarray(points, np.float64), np.asarray(errors, np.float64)

    def self_test(self) -> float:
        """Compare the answers to two generated crops with the card's; returns the largest difference.

        Raises:
            SelfTestFailed: it exceeds the card's tolerance.
        """
        try:
            points, _ = self.run(make_crops(self.card.size_px))
        except REFUSALS as exc:
            raise SelfTestFailed(f"`{self.card.name}` cannot run here: {exc}") from exc
        difference = float(np.abs(points - np.array(self.card.self_test.points)).max())
        if not difference <= self.card.self_test.tolerance:  # so that NaN fails
            raise SelfTestFailed(
                f"`{self.card.name}` answers differently here than at export: points are off by "
                f"{difference:.4f} crop sides, allowed is {self.card.self_test.tolerance}; use `{CPU}`."
            )
        return difference

    def _cut(self, grey: Grey, matrices: Sequence[Matrix]) -> NDArray[np.uint8]:
        size = self.card.size_px
        return np.stack([warp(grey, centred(matrix), size) for matrix in matrices])[..., None]
