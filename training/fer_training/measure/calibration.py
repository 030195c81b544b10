"""How far probabilities can be believed: calibration error, proper scores, risk and coverage, entropies."""

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import (
    CalibrationScores,
    CoveragePoint,
    EntropyAgreement,
    EntropyBin,
    ReliabilityBin,
)
from fer_training.measure.bootstrap import RESAMPLES, interval_of, interval_of_mean, resamples

Probabilities = NDArray[np.floating]
Labels = NDArray[np.int64]
Values = NDArray[np.float64]

BINS = 15
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)

_DISAGREEING_BINS = 4
_LEAST_PROBABILITY = 1e-12


def expected_calibration_error(probabilities: Probabilities, labels: Labels, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by faces (Guo et al. 2017)."""
    confidence, right = _answers(probabilities, labels)
    return _binned_gap(right - confidence, _bin_of(confidence, bins), bins)


def brier_score(probabilities: Probabilities, labels: Labels) -> float:
    """Mean squared distance between the probabilities and the one-hot label, 0..2 (Brier 1950)."""
    return float(_squared_distances(probabilities, labels).mean())


def calibration_scores(
    probabilities: Probabilities, labels: Labels, votes: Probabilities | None = None, seed: int = 0
) -> CalibrationScores:
    """All of them for one set of faces: probabilities N x K, labels N, `votes` the raters' shares N x K.

    Sampling adds to the expected calibration error (each bin's gap counts by its size), and drawing the faces
    again adds once more: its interval leans upward. What answers that are right exactly as often as they say
    would show is therefore simulated beside it.
    """
    confidence, right = _answers(probabilities, labels)
    bins, gaps = _bin_of(confidence, BINS), right - confidence
    drawn = [_binned_gap(gaps[rows], bins[rows], BINS) for rows in resamples(len(labels), seed)]
    random = np.random.default_rng(seed)
    by_chance = [
        _binned_gap((random.random(len(confidence)) < confidence) - confidence, bins, BINS)
        for _ in range(RESAMPLES)
    ]
    risks = _risks(confidence, right)
    likelihoods = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return CalibrationScores(
        expected_calibration_error=interval_of(_binned_gap(gaps, bins, BINS), drawn),
        expected_calibration_error_of_chance=round(float(np.mean(by_chance)), 4),
        brier_score=interval_of_mean(_squared_distances(probabilities, labels), seed),
        negative_log_likelihood=interval_of_mean(-np.log(likelihoods.clip(min=_LEAST_PROBABILITY)), seed),
        reliability=_reliability(confidence, right, bins),
        risk_coverage_area=round(float(risks.mean()), 4),
        risk_coverage=_coverage_points(confidence, risks),
        entropy=None if votes is None else entropy_agreement(probabilities, votes),
    )


def entropy_agreement(probabilities: Probabilities, votes: Probabilities) -> EntropyAgreement | None:
    """Entropies of prediction and votes (both N x K) side by side; none where one of them never varies."""
    predicted, voted = entropy_bits(probabilities), entropy_bits(votes)
    if np.ptp(predicted) == 0 or np.ptp(voted) == 0:
        return None
    torn = voted[voted > 0]
    edges = np.unique(np.quantile(torn, np.linspace(0, 1, _DISAGREEING_BINS + 1)[1:-1]))
    group = np.where(voted > 0, 1 + np.searchsorted(edges, voted, side="left"), 0)
    return EntropyAgreement(
        spearman=round(_correlation(ranks(predicted), ranks(voted)), 4),
        pearson=round(_correlation(predicted, voted), 4),
        bins=tuple(
            EntropyBin(
                faces=int((group == one).sum()),
                votes=round(float(voted[group == one].mean()), 4),
                prediction=round(float(predicted[group == one].mean()), 4),
            )
            for one in np.unique(group)
        ),
    )


def entropy_bits(shares: Probabilities) -> Values:
    """-sum p log2 p of each row of N x K, 0 for a certain one."""
    known = shares.astype(np.float64)
    return np.asarray(np.abs((known * np.log2(np.where(known > 0, known, 1))).sum(axis=1)), np.float64)


def ranks(values: Values) -> Values:
    """The rank of each of N values from 1 on; equal ones share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], np.float64)


def _answers(probabilities: Probabilities, labels: Labels) -> tuple[Values, NDArray[np.bool_]]:
    """Confidence of each answer, and whether it is right."""
    return probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == labels


def _bin_of(confidence: Values, bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def _binned_gap(gaps: Values, bin_of: NDArray[np.int64], bins: int) -> float:
    return float(np.abs(np.bincount(bin_of, weights=gaps, minlength=bins)).sum() / max(1, len(gaps)))


def _squared_distances(probabilities: Probabilities, labels: Labels) -> Values:
    one_hot = np.eye(probabilities.shape[1])[labels]
    return np.asarray(((probabilities - one_hot) ** 2).sum(axis=1), np.float64)


def _reliability(
    confidence: Values, right: NDArray[np.bool_], bin_of: NDArray[np.int64]
) -> tuple[ReliabilityBin, ...]:
    return tuple(
        ReliabilityBin(
            low=round(one / BINS, 4),
            high=round((one + 1) / BINS, 4),
            faces=int(here.sum()),
            confidence=round(float(confidence[here].mean()), 4),
            accuracy=round(float(right[here].mean()), 4),
        )
        for one in range(BINS)
        if (here := bin_of == one).any()
    )


def _risks(confidence: Values, right: NDArray[np.bool_]) -> Values:
    """Share of wrong answers among the 1, 2, ... N most confident ones (El-Yaniv, Wiener 2010)."""
    wrong = ~right[np.argsort(-confidence, kind="stable")]
    return np.asarray(np.cumsum(wrong) / np.arange(1, len(wrong) + 1), np.float64)


def _coverage_points(confidence: Values, risks: Values) -> tuple[CoveragePoint, ...]:
    ordered = np.sort(confidence)[::-1]
    counts = [max(1, round(coverage * len(ordered))) for coverage in COVERAGES]
    return tuple(
        CoveragePoint(
            coverage=coverage,
            confidence=round(float(ordered[count - 1]), 4),
            error=round(float(risks[count - 1]), 4),
        )
        for coverage, count in zip(COVERAGES, counts, strict=True)
    )


def _correlation(first: Values, second: Values) -> float:
    """Pearson's r."""
    return float(np.corrcoef(first, second)[0, 1].clip(-1, 1))
