"""Whether explanations are true: hiding the cells they mark must cost more than hiding any others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_gateway.contract import Interval
from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.occlusion import CELLS, Cells, falls_of_cells, log_odds, occluded, sliding_windows
from fer_training.errors import DataError
from fer_training.measure.bootstrap import interval_of

STRONGEST_SHARE = 0.2
RANDOM_DRAWS = 10

_RESAMPLES = 2000
_LEAST_FALL = 1e-6


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """By how much the probability of a face's top class falls when a fifth of its cells is hidden."""

    faces: int
    strongest: Interval
    """Mean fall with the cells of the highest heat hidden."""
    random: Interval
    """Mean fall with random cells hidden, `RANDOM_DRAWS` draws a face."""
    ratio: Interval
    """The first over the second."""


def measure_faithfulness(model: EmotionModel, crops: NDArray[np.uint8], seed: int = 0) -> Faithfulness:
    """Measure on crops (N x S x S) as the model sees them; intervals are 95 %, by bootstrap over faces.

    Raises:
        DataError: hiding random cells costs nothing on average, so that there is no ratio.
    """
    random = np.random.default_rng(seed)
    rows = [_falls(model, crop, random) for crop in tqdm(crops, desc="explain", mininterval=1, disable=None)]
    falls = np.array(rows)
    means = falls.mean(axis=0)
    if not means[1] > _LEAST_FALL:
        raise DataError(
            f"hiding random cells of {len(crops)} faces changes the answer by {means[1]:.6f} on average: "
            "too little to compare with; take more faces, or a model that looks at them"
        )
    picks = random.integers(0, len(falls), (_RESAMPLES, len(falls)))
    resampled = falls[picks].mean(axis=1)
    ratios = resampled[:, 0] / np.maximum(resampled[:, 1], _LEAST_FALL)
    return Faithfulness(
        faces=len(falls),
        strongest=interval_of(means[0], resampled[:, 0]),
        random=interval_of(means[1], resampled[:, 1]),
        ratio=interval_of(means[0] / means[1], ratios),
    )


def _falls(model: EmotionModel, crop: NDArray[np.uint8], random: np.random.Generator) -> tuple[float, float]:
    """The fall with the strongest cells hidden, and the mean fall with random ones."""
    untouched, *_ = model.predict(crop[None, ..., None]).astype(np.float64)
    top = int(untouched.argmax())

    def with_hidden(cells: Cells) -> NDArray[np.float64]:
        return model.predict(occluded(crop, cells)[..., None]).astype(np.float64)

    before, hidden = log_odds(untouched[None], top), log_odds(with_hidden(sliding_windows()), top)
    heat = falls_of_cells(before - hidden)
    orders = [np.argsort(-heat, axis=None), *(random.permutation(CELLS**2) for _ in range(RANDOM_DRAWS))]
    cells = np.zeros((len(orders), CELLS**2), np.bool_)
    for mask, order in zip(cells, orders, strict=True):
        mask[order[: round(STRONGEST_SHARE * CELLS**2)]] = True
    falls = untouched[top] - with_hidden(cells.reshape(-1, CELLS, CELLS))[:, top]
    return float(falls[0]), float(falls[1:].mean())
