"""Times of many runs in a few numbers, and whether two of them differ beyond their noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles
from typing import Any, Literal, Self

LEAST_CHANGE = 0.03
"""Smaller changes are never told: the same program in another process differs by as much."""

_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True)
class Samples:
    """Durations of one thing in milliseconds, and what each round of measuring came to."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    count: int
    rounds_ms: tuple[float, ...]
    """Median of each round; their spread is the noise of the machine."""

    @classmethod
    def of(cls, rounds: Sequence[Sequence[float]]) -> Self:
        """Sum up rounds of durations in milliseconds; empty rounds do not count, two durations are needed."""
        times = [duration for one in rounds for duration in one]
        cuts = quantiles(times, n=100, method="inclusive")
        return cls(
            cuts[49],
            cuts[94],
            cuts[98],
            fmean(times),
            len(times),
            tuple(median(one) for one in rounds if one),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON; `per_second` is what one thread does."""
        return {
            "p50_ms": round(self.p50_ms, 4),
            "p95_ms": round(self.p95_ms, 4),
            "p99_ms": round(self.p99_ms, 4),
            "mean_ms": round(self.mean_ms, 4),
            "per_second": round(1e3 / self.mean_ms, 2) if self.mean_ms else None,
            "count": self.count,
            "rounds_ms": [round(value, 4) for value in self.rounds_ms],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One number then and now."""

    name: str
    before: float
    after: float
    noise: float
    """Differences up to this, in the same unit, may be chance."""

    @property
    def verdict(self) -> Literal["less", "more", "same"]:
        """What has happened beyond the noise."""
        if abs(self.after - self.before) <= self.noise:
            return "same"
        return "less" if self.after < self.before else "more"


def change(
    name: str, before: Sequence[float], after: Sequence[float], *, least: float = LEAST_CHANGE
) -> Change:
    """Compare the rounds of two measurements: their medians differ by chance up to three standard errors."""
    old, new = median(before), median(after)
    noise = _DEVIATIONS * math.hypot(_standard_error(before), _standard_error(after))
    return Change(name, old, new, max(noise, least * abs(old)))


def _standard_error(values: Sequence[float]) -> float:
    """Of a median, from the median distance to it, so that one disturbed round does not count."""
    middle = median(values)
    deviation = 1.4826 * median([abs(value - middle) for value in values])
    return 1.2533 * deviation / math.sqrt(len(values))
