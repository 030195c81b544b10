"""Who is who from frame to frame: stable ids for boxes that move, cross, vanish and come back."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_gateway.tracking.assignment import assign
from fer_gateway.vision.geometry import Box, intersection_over_union, overlap_of_smaller

SAME_FACE = 0.5
"""Two boxes of one frame that share more than this part of the smaller are one face."""

ESTABLISHED_SIGHTINGS = 3
"""Frames after which a face is believed: from then on it keeps its id while it is lost."""

LOST_MS = 750.0
"""How long a lost face keeps its id: half a second, and some frames to find it again."""

COVERED_MS = 4000.0
"""How long where another face has passed in front of it: then it is plain why it is not seen."""

_COVERED, _CROWDED = 0.25, 0.05
_OWN, _BACK, _BESIDE = 0.3, 0.2, 0.3
_REPLACES = 1.25
_POSITION_MS, _VELOCITY_MS, _SIZE_MS = 15.0, 120.0, 100.0
_CROWDED_VELOCITY_MS = 2000.0
_LEAST_STEP_MS, _HORIZON_MS = 5.0, 500.0
_NEAR, _FAR, _FARTHEST = 1.0, 2.2, 3.0
_INSANE_PX = 1e7


@dataclass(frozen=True, slots=True)
class Observation:
    """A face of this frame, before it is known whose."""

    box: Box
    """In pixels."""
    followed: int | None = None
    """The id that it was followed from; it has the first claim, unless the motion speaks against it."""


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of one face."""

    id: int
    box: Box
    """In pixels; smoothed, or predicted."""
    velocity: tuple[float, float]
    """Of its centre, in pixels per millisecond."""
    seen_ms: float
    sightings: int = 1
    """Frames it was seen in."""
    lost: bool = False
    """Whether it was missing in the last frame."""
    covered_by: int | None = None
    """The face that lay where this one should have been."""

    def at(self, now_ms: float) -> "Track":
        """The same, where it should be at a time: on at the same speed.

        For half a second at most, for a face may stop; one that goes past behind another mostly does not.
        """
        step_ms = min(_since(self.seen_ms, now_ms), _HORIZON_MS if self.covered_by is None else COVERED_MS)
        shift_x, shift_y = self.velocity[0] * step_ms, self.velocity[1] * step_ms
        return replace(
            self, box=Box(self.box.x + shift_x, self.box.y + shift_y, self.box.width, self.box.height)
        )

    def moved_to(self, box: Box, now_ms: float, *, crowded: bool) -> "Track":
        """The same, seen in `box`.

        An alpha-beta filter whose gains follow from the time that has passed, gain = 1 - exp(-step / tau):
        the centre nearly follows the box, its size follows slowly, for it is what detectors are unsure of.
        In a crowd, where another face overlaps it, the speed stays nearly what it was: a face that is being
        covered seems to go along with the one in front of it.
        """
        step_ms = max(_since(self.seen_ms, now_ms), _LEAST_STEP_MS)
        old, expected, new = self.box.centre, self.at(now_ms).box.centre, box.centre
        place, size = _gain(step_ms, _POSITION_MS), _gain(step_ms, _SIZE_MS)
        speed = _gain(step_ms, _CROWDED_VELOCITY_MS if crowded else _VELOCITY_MS)
        x, y = (was + place * (now - was) for was, now in zip(expected, new, strict=True))
        velocity_x, velocity_y = (
            v + speed * ((now - was) / step_ms - v)
            for v, was, now in zip(self.velocity, old, new, strict=True)
        )
        width = self.box.width + size * (box.width - self.box.width)
        height = self.box.height + size * (box.height - self.box.height)
        return Track(
            id=self.id,
            box=Box(x - width / 2, y - height / 2, width, height),
            velocity=(velocity_x, velocity_y),
            seen_ms=now_ms,
            sightings=self.sightings + 1,
        )


class Tracker:
    """Gives the boxes of each frame their ids. Ids count up from 0 and never come back for another face."""

    def __init__(self, max_tracks: int = 64) -> None:
        self._max_tracks = max_tracks
        self._tracks: dict[int, Track] = {}
        self._next_id = 0

    @property
    def tracks(self) -> Mapping[int, Track]:
        """Every face that is seen, or lost and not yet given up, by its id; as last seen."""
        return self._tracks

    def forget(self, ids: Collection[int] | None = None) -> None:
        """Drop these faces, or all."""
        for id_ in list(self._tracks) if ids is None else ids:
            self._tracks.pop(id_, None)

    def match(self, observations: Sequence[Observation], now_ms: float) -> dict[int, int]:
        """The index of the observation of each known face that is among them; changes nothing."""
        predicted = self._predicted(now_ms)
        return _match(observations, _distinct(observations, predicted), predicted, now_ms)

    def update(self, observations: Sequence[Observation], now_ms: float) -> dict[int, int]:
        """Take in a frame: the index of the observation that each seen face has, known or new.

        An observation without an id shows a face that another one shows better, has no size or no sane
        place, or found all `max_tracks` places taken: then a new face takes that of a lost one, or of the
        smallest if it is clearly larger.
        """
        predicted = self._predicted(now_ms)
        distinct = _distinct(observations, predicted)
        matched = _match(observations, distinct, predicted, now_ms)
        taken = set(matched.values())
        for id_, index in matched.items():
            crowded = any(
                overlap_of_smaller(predicted[id_].box, other.box) > _CROWDED
                for other in predicted.values()
                if other.id != id_
            )
            self._tracks[id_] = self._tracks[id_].moved_to(observations[index].box, now_ms, crowded=crowded)
        self._miss(matched, now_ms)
        newcomers = [index for index in distinct if index not in taken]
        for index in sorted(newcomers, key=lambda index: -observations[index].box.area):
            box = observations[index].box
            if self._make_room(box, matched):
                matched[self._next_id] = index
                self._tracks[self._next_id] = Track(self._next_id, box, (0.0, 0.0), now_ms)
                self._next_id += 1
        return {id_: index for id_, index in matched.items() if id_ in self._tracks}

    def _predicted(self, now_ms: float) -> dict[int, Track]:
        return {
            id_: track.at(now_ms)
            for id_, track in self._tracks.items()
            if not track.lost or _since(track.seen_ms, now_ms) <= _patience_ms(track)
        }

    def _miss(self, seen: Collection[int], now_ms: float) -> None:
        """Mark the faces that this frame does not show as lost; give up those that are lost too long."""
        for id_ in self._tracks.keys() - seen:
            track = self._tracks[id_]
            place = track.at(now_ms).box
            shares = {other: overlap_of_smaller(place, self._tracks[other].box) for other in seen}
            nearest = max(shares, key=shares.__getitem__, default=None)
            covered_by = nearest if nearest is not None and shares[nearest] > _COVERED else track.covered_by
            missing = replace(track, lost=True, covered_by=covered_by)
            known = track.sightings >= ESTABLISHED_SIGHTINGS
            if known and _since(track.seen_ms, now_ms) <= _patience_ms(missing):
                self._tracks[id_] = missing
            else:
                del self._tracks[id_]

    def _make_room(self, box: Box, seen: Mapping[int, int]) -> bool:
        if len(self._tracks) < self._max_tracks:
            return True
        lost = [track for track in self._tracks.values() if track.id not in seen]
        if lost:
            self.forget([min(lost, key=lambda track: track.seen_ms).id])
            return True
        smallest = min(self._tracks.values(), key=lambda track: track.box.area)
        if box.side > _REPLACES * smallest.box.side:
            self.forget([smallest.id])
            return True
        return False


def _match(
    observations: Sequence[Observation],
    distinct: Sequence[int],
    predicted: Mapping[int, Track],
    now_ms: float,
) -> dict[int, int]:
    """The index of the observation of each track, of those in `distinct`; by the least cost in all."""
    tracks = list(predicted.values())
    if not tracks or not distinct:
        return {}
    costs = [[_cost_of(track, observations[index], predicted) for index in distinct] for track in tracks]
    limits = [_limit(track, now_ms) for track in tracks]
    if len(tracks) == len(distinct) == 1:  # most frames
        return {tracks[0].id: distinct[0]} if costs[0][0] < limits[0] else {}
    possible = np.where(np.less(costs, np.array(limits)[:, None]), costs, np.inf)
    return {tracks[row].id: distinct[column] for row, column in assign(possible, _FARTHEST)}


def _distinct(observations: Sequence[Observation], tracks: Mapping[int, Track]) -> list[int]:
    """Indices of the observations that show each face once: of two, the one nearer to where it was awaited.

    A hop of a followed face onto another is found here: it lies far from where its own face was awaited.
    """

    def surprise(index: int) -> float:
        observation = observations[index]
        own = tracks.get(-1 if observation.followed is None else observation.followed)
        nearest = tracks.values() if own is None else [own]
        return min((_cost(track, observation) for track in nearest), default=math.inf)

    kept: list[int] = []
    sound = [index for index, observation in enumerate(observations) if _is_sound(observation.box)]
    for index in sorted(sound, key=surprise):
        box = observations[index].box
        if all(overlap_of_smaller(box, observations[other].box) <= SAME_FACE for other in kept):
            kept.append(index)
    return kept


def _cost(track: Track, observation: Observation) -> float:
    """How little a box looks like where a face should be: distance in sides, ratio of sizes, overlap."""
    expected, box = track.box, observation.box
    side = max((expected.side + box.side) / 2, 1.0)
    distance = math.dist(expected.centre, box.centre) / side
    ratio = abs(math.log(max(box.side, 1.0) / max(expected.side, 1.0)))
    # What was seen a moment ago is rather seen again than something that was lost is back.
    own = 0.0 if observation.followed != track.id else _OWN
    bias = _BACK if track.lost else -own
    return distance + ratio + (1 - intersection_over_union(expected, box)) + bias


def _cost_of(track: Track, observation: Observation, tracks: Mapping[int, Track]) -> float:
    """The same, but a covered face may also turn up beside the one in front: it may have turned back."""
    cost = _cost(track, observation)
    front = None if track.covered_by is None else tracks.get(track.covered_by)
    if front is None or not track.lost:
        return cost
    (x, y), width, height = front.box.centre, track.box.width, track.box.height
    beside = replace(track, box=Box(x - width / 2, y - height / 2, width, height))
    return min(cost, _cost(beside, observation) + _BESIDE)


def _limit(track: Track, now_ms: float) -> float:
    """The cost at which it is another face: half a side away at once, more than a side after 0.3 s."""
    farthest = _FAR if track.covered_by is None else _FARTHEST
    return min(_NEAR + 4e-3 * _since(track.seen_ms, now_ms), farthest)


def _patience_ms(track: Track) -> float:
    return LOST_MS if track.covered_by is None else COVERED_MS


def _since(then_ms: float, now_ms: float) -> float:
    """Milliseconds passed; none where time stands still, runs backwards or is no number."""
    return max(0.0, now_ms - then_ms)


def _gain(step_ms: float, tau_ms: float) -> float:
    return 1 - math.exp(-step_ms / tau_ms)


def _is_sound(box: Box) -> bool:
    bounded = all(abs(value) < _INSANE_PX for value in (box.x, box.y, box.width, box.height))  # no NaN is
    return bounded and box.width > 0 and box.height > 0
