"""95 % intervals by drawing the faces again, with replacement (Efron's percentile interval)."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import Interval

RESAMPLES = 1000


def resamples(count: int, seed: int = 0) -> Iterator[NDArray[np.int64]]:
    """`RESAMPLES` draws of `count` rows, each an array of that many indices."""
    random = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        yield random.integers(0, count, count)


def interval_of(value: float, resampled: Sequence[float] | NDArray[np.float64], digits: int = 4) -> Interval:
    """A value with the middle 95 % of what the resampled faces gave instead."""
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Interval(
        value=round(float(value), digits), low=round(float(low), digits), high=round(float(high), digits)
    )


def interval_of_mean(values: NDArray[np.floating] | NDArray[np.bool_], seed: int = 0) -> Interval:
    """The mean of one value a face (N), with its interval."""
    return interval_of(float(values.mean()), [values[rows].mean() for rows in resamples(len(values), seed)])
