"""Where in a picture faces may be: a small network looks at all of it at once, at every size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import Field

from fer_gateway.contract import Frozen, Provenance
from fer_gateway.errors import SelfTestFailed
from fer_gateway.inference.cards import card_in, open_file
from fer_gateway.inference.landmarks import LandmarkModel, Located
from fer_gateway.inference.providers import CPU, REFUSALS
from fer_gateway.inference.self_test import make_crops
from fer_gateway.vision.align import Grey, box_framed_by
from fer_gateway.vision.cascade import distinct
from fer_gateway.vision.evened import Evened, evened
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import frame_of
from fer_gateway.vision.patch import bounded, resized

PROPOSAL_CARD_KEY = "fer.proposals"
PIXELS_NAME, SCORES_NAME, SHIFTS_NAME = "pixels", "scores", "shifts"
STRIDE = 4
"""Pixels of the reduced picture from one place to the next."""

SMALLEST_FACE = 0.08
"""Side of the smallest face looked for, as a share of the shorter side: the same as in `FaceDetector`."""

LEAST_SCORE = 0.15
CLEAR = 0.8
"""Landmarks bear a proposal out below this part of the error up to which they are plausible."""

SELF_TEST_PX = 96

_SMALLEST_PX = 11.0  # of the reduced picture; the network knows faces from 10 to 20 px
_LEAST_SIDE_PX = 16
_MOST_PLACES, _MOST_FACES = 200, 64
_FIRST_FACES = 12
_SAME = 0.5
_LARGEST_SHIFT = 0.4


class ProposalCard(Frozen):
    """The facts of one proposal network; JSON inside its ONNX file under `fer.proposals`."""

    format: Literal["fer.proposals/1"] = "fer.proposals/1"
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([.-][0-9A-Za-z.-]+)?$")
    face_px: tuple[float, float] = Field(description="Sides of the faces that the two scores stand for.")
    parameters: int = Field(ge=1)
    provenance: Provenance
    self_test: tuple[float, float] = Field(
        description="Mean scores (logits) on the crops of 96 px of `inference.self_test.make_crops`."
    )
    tolerance: float = Field(default=0.02, gt=0, lt=1)


class ProposalModel:
    """One instance serves any number of threads at a time."""

    def __init__(self, session: onnxruntime.InferenceSession, card: ProposalCard) -> None:
        self._session = session
        self.card = card

    @classmethod
    def open(cls, path: Path, *, threads: int = 1, providers: Sequence[str] = (CPU,)) -> Self:
        """Load the file, read its card, and prove that it answers as at export.

        Raises:
            ModelNotFound, InvalidModel, ProviderUnavailable, SelfTestFailed: as `LandmarkModel.open`.
        """
        session = open_file(
            path,
            called="proposal model",
            named_by="a fresh installation",
            threads=threads,
            providers=providers,
        )
        card = card_in(
            session, path, key=PROPOSAL_CARD_KEY, kind=ProposalCard, command="fer_training proposals"
        )
        model = cls(session, card)
        model.self_test()
        return model

    def propose(self, grey: Grey, least_px: float) -> list[Box]:
        """Where faces from `least_px` wide on may be in a picture (H x W, uint8), the likeliest first.

        The picture is reduced until that face has 11 px, then by halves; of boxes that share much the
        likelier stays. Nine in ten faces are among the first dozen, and so is what only resembles one.
        """
        scores: list[NDArray[np.float64]] = []
        boxes: list[NDArray[np.float64]] = []
        small = resized(grey, bounded(grey, _SMALLEST_PX / least_px))
        while min(small.shape) >= _LEAST_SIDE_PX:
            score, box = self._places(small)
            scores.append(score)
            boxes.append(box * (grey.shape[1] / small.shape[1]))
            small = resized(small, 0.5)
        if not scores:
            return []
        score, box = np.concatenate(scores), np.concatenate(boxes)
        order = np.argsort(-score, kind="stable")[:_MOST_PLACES]
        return [Box(*row) for row in _apart(box[order]).tolist()]

    def run(self, pixels: Evened) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The bare network: evened pixels H x W -> scores 2 x h x w (logits) and shifts 6 x h x w."""
        scores, shifts = self._session.run([SCORES_NAME, SHIFTS_NAME], {PIXELS_NAME: pixels[None, None]})
        return np.asarray(scores[0], np.float64), np.asarray(shifts[0], np.float64)

    def self_test(self) -> float:
        """Compare the mean scores of two generated crops with the card's; returns the largest difference.

        Raises:
            SelfTestFailed: it exceeds the card's tolerance.
        """
        try:
            means = [self.run(evened(crop[..., 0]))[0].mean() for crop in make_crops(SELF_TEST_PX)]
        except REFUSALS as exc:
            raise SelfTestFailed(f"`{self.card.name}` cannot run here: {exc}") from exc
        difference = float(np.abs(np.array(means) - self.card.self_test).max())
        if not difference <= self.card.tolerance:  # so that NaN fails
            raise SelfTestFailed(
                f"`{self.card.name}` answers differently here than at export: scores are off by "
                f"{difference:.4f}, allowed is {self.card.tolerance}; use `{CPU}`."
            )
        return difference

    def _places(self, small: Grey) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores (N) and boxes (N x 4: left, top, width, height) of likely places in a reduced picture."""
        logits, shifts = self.run(evened(small))
        kind, row, column = np.nonzero(logits > np.log(LEAST_SCORE / (1 - LEAST_SCORE)))
        sizes = np.array(self.card.face_px)[kind]
        right, down, log_size = (shifts[3 * kind + part, row, column] for part in range(3))
        sides = sizes * np.exp2(log_size.clip(-_LARGEST_SHIFT, _LARGEST_SHIFT))
        x = STRIDE * column + STRIDE / 2 + right * sizes
        y = STRIDE * row + STRIDE / 2 + down * sizes
        return logits[kind, row, column], np.stack([x - sides / 2, y - sides / 2, sides, sides], axis=1)


def borne_out(landmarks: LandmarkModel, grey: Grey, proposed: Sequence[Box]) -> list[tuple[Box, Located]]:
    """The faces among proposals (in pixels of H x W, the likeliest first) with their points, largest first.

    The landmark model glances at each of the first dozen, looks properly where it sees any face, and the face
    counts where its landmarks are clear. Where most are faces, it is a crowd, and it looks at the others too.
    No two faces share half of the smaller one.
    """
    found = _borne_out(landmarks, grey, proposed[:_FIRST_FACES])
    if len(found) > _FIRST_FACES // 2:
        found += _borne_out(landmarks, grey, proposed[_FIRST_FACES:])
    boxes = [box for box, _ in found]
    kept = distinct(boxes, [-located.expected_error for _, located in found])
    return [found[index] for index in kept]


def _borne_out(landmarks: LandmarkModel, grey: Grey, boxes: Sequence[Box]) -> list[tuple[Box, Located]]:
    card = landmarks.card
    glanced = [seen.points for seen in landmarks.glance(grey, boxes) if seen.is_face]
    template = np.array(card.template)
    return [
        (box_framed_by(frame_of(located.points, template), card.framing), located)
        for located in landmarks.follow(grey, glanced)
        if located.expected_error < CLEAR * card.plausible_below
    ]


def _apart(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of boxes (N x 4: left, top, width, height) that share half of the smaller, the first."""
    left, top, width, height = boxes.T
    right, bottom, area = left + width, top + height, width * height
    free = np.ones(len(boxes), dtype=bool)
    kept: list[int] = []
    while free.any() and len(kept) < _MOST_FACES:
        one = int(free.argmax())
        kept.append(one)
        across = np.minimum(right, right[one]) - np.maximum(left, left[one])
        down = np.minimum(bottom, bottom[one]) - np.maximum(top, top[one])
        free &= across.clip(0) * down.clip(0) <= _SAME * np.minimum(area, area[one])
        free[one] = False
    return boxes[kept]
