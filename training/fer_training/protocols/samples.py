"""Some faces with label and answer, for a look; they show people, so that a report with them stays local."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_training.data.labelled import LabelledFaces
from fer_training.protocols.fold import FoldResult

_RIGHT_OF_A_CLASS = 2
_WRONG = 14


@dataclass(frozen=True, slots=True)
class Sample:
    """A test face (H x W, grey) and what the model of its fold said."""

    image: NDArray[np.uint8]
    label: str
    answer: str
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the answer is the label."""
        return self.label == self.answer

    @property
    def caption(self) -> str:
        """Two short lines."""
        said = f"{self.answer} {self.confidence:.0%}"
        return f"{said}\nright" if self.right else f"{said}\nis {self.label}"

    @property
    def data_uri(self) -> str:
        """The picture inside an address."""
        png = cv2.imencode(".png", self.image)[1].tobytes()
        return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def draw_samples(faces: LabelledFaces, results: Sequence[FoldResult], seed: int = 0) -> tuple[Sample, ...]:
    """Of all test answers: two right ones a class, then the wrong ones, the most confident first."""
    tests = np.concatenate([np.array(result.test, np.int64) for result in results])
    probabilities = np.concatenate([np.array(result.probabilities) for result in results])
    predicted, labels = probabilities.argmax(axis=1), faces.labels[tests]
    confidence = probabilities.max(axis=1)
    order = np.random.default_rng(seed).permutation(len(tests))
    right = order[(predicted == labels)[order]]
    rows = [
        row for kind in range(len(faces.classes)) for row in right[labels[right] == kind][:_RIGHT_OF_A_CLASS]
    ]
    wrong = np.flatnonzero(predicted != labels)
    rows += list(wrong[np.argsort(-confidence[wrong], kind="stable")][:_WRONG])
    return tuple(
        Sample(
            faces.images[tests[row]],
            faces.classes[labels[row]],
            faces.classes[predicted[row]],
            float(confidence[row]),
        )
        for row in rows
    )
