"""What a face shows over time: steady probabilities and a label that does not flicker."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CALM_MS = 250.0
"""Time constant of the smoothing while nothing but noise changes."""

QUICK_MS = 50.0
"""Time constant while the face clearly changes."""

CHANGE = (0.15, 0.4)
"""Total variation distance up to which a change counts as noise, and from which on it is a clear one."""

SURE_MS = 25.0
"""How long a class must lead the shown label by all of the probability; by a tenth of it, ten times that."""

FORGET_MS = 1000.0
"""A face that was not seen for as long starts anew."""

Distribution = NDArray[np.float64]
"""K, one a class; the sum is 1."""


@dataclass(frozen=True, slots=True)
class Smoothed:
    """What a face shows now."""

    probabilities: Distribution
    """Smoothed."""
    label: int
    """The class to show. For a moment it may not be the most probable one: see `Smoother`."""


@dataclass(frozen=True, slots=True)
class _State:
    shown: Smoothed
    seen_ms: float
    quick: Distribution
    """The same probabilities, hardly smoothed."""
    lead: NDArray[np.float64]
    """By how much each class was ahead of the shown one in the last frame (K)."""
    lead_ms: NDArray[np.float64]
    """The same summed up over the time that it has been (K)."""


class Smoother:
    """Exponential smoothing of probabilities and hysteresis of labels, each face by its id.

    Over a step of dt the smoothed probabilities s move to those of the frame, p, by 1 - exp(-dt / tau): the
    same at any frame rate, and again distributions, since they are mixtures of such. tau is `CALM_MS`; it
    falls to `QUICK_MS` where a second mean, which always has that, has moved away from s (see `CHANGE`).

    The shown label stays until another class has led it enough: the lead of a class, s_class - s_shown, is
    summed up over time, and starts at zero again whenever it leads no more (Page's cumulative sum test,
    1954). Of two frames the smaller lead counts, so one frame alone never changes a label, however long ago
    the last one was. A clear change is shown after some frames, noise between two classes hardly ever.
    """

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}

    def smooth(self, id_: int, probabilities: Distribution, now_ms: float) -> Smoothed:
        """Take in what a face shows in this frame; what it shows, all in all.

        Times that stand still or run backwards change nothing but count as seen.
        """
        state = self._states.get(id_)
        if state is None or not now_ms - state.seen_ms <= FORGET_MS:
            shown = Smoothed(probabilities, int(probabilities.argmax()))
            nothing = np.zeros(len(probabilities))
            self._states[id_] = _State(shown, now_ms, probabilities, nothing, nothing)
            return shown
        self._states[id_] = _moved(state, probabilities, now_ms)
        return self._states[id_].shown

    def keep(self, ids: Collection[int]) -> None:
        """Forget every face but these."""
        self._states = {id_: state for id_, state in self._states.items() if id_ in ids}


def _moved(state: _State, probabilities: Distribution, now_ms: float) -> _State:
    step_ms = max(0.0, now_ms - state.seen_ms)
    old, label = state.shown.probabilities, state.shown.label
    quick = state.quick + _share(step_ms / QUICK_MS) * (probabilities - state.quick)
    low, high = CHANGE
    distance = float(np.abs(quick - old).sum()) / 2
    clear = min(max((distance - low) / (high - low), 0.0), 1.0)
    rate = (1 - clear) / CALM_MS + clear / QUICK_MS
    steady = old + _share(step_ms * rate) * (probabilities - old)
    lead = steady - steady[label]
    lead_ms = np.where(lead > 0, state.lead_ms + np.minimum(lead, state.lead).clip(0) * step_ms, 0.0)
    if lead_ms.max() >= SURE_MS:
        label = int(lead_ms.argmax())
        lead, lead_ms = steady - steady[label], np.zeros_like(lead_ms)
    return _State(Smoothed(steady, label), max(now_ms, state.seen_ms), quick, lead, lead_ms)


def _share(time: float) -> float:
    return 1 - math.exp(-time)
