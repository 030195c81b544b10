"""How many scored faces the training part holds too, and the scores without them."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fer_gateway.contract import Evaluation, Frozen, Interval
from fer_training.data.twins import exact_twins, near_twins
from fer_training.measure.metrics import Labels, Probabilities, evaluate_probabilities

Twins = Literal["exact", "near"]


class KnownFaces(Frozen):
    """Scores on the faces that have no twin among the training faces of the same data set."""

    twins: Twins
    training_faces: int
    with_twin: int = Field(description="Scored faces that stand in the training part too.")
    without_twin: int
    accuracy: Interval | None = Field(description="Of those without; none where all have a twin.")
    macro_f1: Interval | None
    whole: Evaluation | None = Field(exclude=True, description="All scores of those without, for the card.")


def score_without_twins(
    images: NDArray[np.uint8],
    training: NDArray[np.uint8],
    probabilities: Probabilities,
    labels: Labels,
    twins: Twins,
    *,
    names: tuple[str, ...] = (),
    data: str = "faces",
) -> KnownFaces:
    """Of N faces (images N x S x S, probabilities N x K, labels N) beside M training faces (M x S x S).

    `names` are those of the K classes (default: their numbers), `data` that of the set.
    """
    known = {"exact": exact_twins, "near": near_twins}[twins](images, training)
    if twins == "near":  # the smaller change must never count less
        known |= exact_twins(images, training)
    names = names or tuple(map(str, range(probabilities.shape[1])))
    scores = None
    if not known.all():
        data = f"{data}, no {twins} twin in training"
        scores = evaluate_probabilities(data, names, probabilities[~known], labels[~known])
    return KnownFaces(
        twins=twins,
        training_faces=len(training),
        with_twin=int(known.sum()),
        without_twin=int((~known).sum()),
        accuracy=None if scores is None else scores.accuracy,
        macro_f1=None if scores is None else scores.macro_f1,
        whole=scores,
    )
