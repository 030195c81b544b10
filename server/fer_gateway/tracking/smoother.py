"""What a face shows over time: steady probabilities and a label that does not flicker."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TAU_MS = 200.0
"""Time constant of the smoothing while nothing changes."""

SURE_MS = 60.0
"""How long a class must lead the shown label by all of the probability; by a tenth of it, ten times that."""

FORGET_MS = 1000.0
"""A face that was not seen for as long starts anew."""


@dataclass(frozen=True, slots=True)
class Smoothed:
    """What a face shows now."""

    probabilities: NDArray[np.float64]
    """K, smoothed; the sum is 1."""
    label: int
    """The class to show. For a moment it may not be the most probable one: see `Smoother`."""


@dataclass(frozen=True, slots=True)
class _State:
    smoothed: Smoothed
    seen_ms: float
    lead_ms: NDArray[np.float64]


class Smoother:
    """Exponential smoothing of probabilities and hysteresis of labels, each face by its id.

    Over a step of dt the smoothed probabilities s move to those of the frame, p, by 1 - exp(-dt / tau): the
    same at any frame rate, and again distributions, since they are mixtures of such.

    The shown label stays until another class has led it enough: the lead of a class, s_class - s_shown, is
    summed up over time, and starts at zero again whenever it leads no more (Page's cumulative sum test,
    1954). A clear change is shown at once, a slight one later, noise between two equal classes hardly ever.
    """

    def __init__(self, tau_ms: float = TAU_MS, sure_ms: float = SURE_MS) -> None:
        self._tau_ms = tau_ms
        self._sure_ms = sure_ms
        self._states: dict[int, _State] = {}

    def smooth(self, id_: int, probabilities: NDArray[np.float64], now_ms: float) -> Smoothed:
        """Take in what a face shows in this frame (K); what it shows, all in all.

        Times that stand still or run backwards change nothing but count as seen.
        """
        state = self._states.get(id_)
        if state is None or now_ms - state.seen_ms > FORGET_MS:
            smoothed = Smoothed(probabilities, int(probabilities.argmax()))
            self._states[id_] = _State(smoothed, now_ms, np.zeros(len(probabilities)))
            return smoothed
        step_ms = max(0.0, now_ms - state.seen_ms)
        old = state.smoothed
        steady = old.probabilities + (1 - math.exp(-step_ms / self._tau_ms)) * (
            probabilities - old.probabilities
        )
        lead = steady - steady[old.label]
        lead_ms = np.where(lead > 0, state.lead_ms + lead * step_ms, 0.0)
        label = old.label
        if lead_ms.max() >= self._sure_ms:
            label = int(lead_ms.argmax())
            lead_ms = np.zeros_like(lead_ms)
        state = _State(Smoothed(steady, label), max(now_ms, state.seen_ms), lead_ms)
        self._states[id_] = state
        return state.smoothed

    def keep(self, ids: Collection[int]) -> None:
        """Forget every face but these."""
        self._states = {id_: state for id_, state in self._states.items() if id_ in ids}
