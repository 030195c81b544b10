"""Faces from frame to frame: found once, then followed by their landmarks, confirmed now and then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_gateway.analyzer import Analyzer, Place, Stopwatch
from fer_gateway.inference.landmarks import Located
from fer_gateway.options import StreamOptions
from fer_gateway.tracking.tracker import ESTABLISHED_SIGHTINGS, SAME_FACE, Observation, Track, Tracker
from fer_gateway.vision.align import Grey, box_framed_by, box_matrix, centred, warp
from fer_gateway.vision.detect import Detection
from fer_gateway.vision.geometry import Box, overlap_of_smaller
from fer_gateway.vision.landmarks import Points, frame_of, roll_degrees, similarity

SCAN_MS = 400.0
"""How often the whole picture is scanned for newcomers while every known face is seen."""

SCAN_LOST_MS = 200.0
"""How often while a face is lost; at the moment when it is lost, at once."""

SCAN_EMPTY_MS = 90.0
"""How often while no face is known: also the least time between two scans."""

THOROUGH_MS = 400.0
"""How often a scan that finds no upright frontal face may look for others, at three times the cost."""

CONFIRM_MS = 400.0
"""How often the cascade looks at a face that is followed by its landmarks and that no scan finds again."""

DOUBTED_MS = 3000.0
"""How long a face is followed that the cascade does not confirm: a head may be turned away for a while."""

DOUBTED_VAGUE_MS = 1000.0
"""The same for a face whose landmarks are not clear; then only a scan confirms it, for it asks for more
evidence than a look near a known place."""

CLEAR = 0.5
"""Landmarks are clear below this part of the error up to which they are plausible: nearly all of real faces
are, and few of what only the cascade takes for one."""

_LOOK_PX, _LOOK_MARGIN = 160, 0.5
_POINTS_INSIDE = 4


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A face of this frame, before it is known whose."""

    box: Box
    located: Located
    followed: int | None
    looked_ms: float
    """When the cascade last looked at it, or a scan found it."""
    confirmed_ms: float
    """When the cascade or a scan last bore out that it is a face."""

    @property
    def observation(self) -> Observation:
        return Observation(self.box, self.followed)


class Follower:
    """Where each face of a stream is now, at a fraction of the cost of finding it.

    A face is followed by its landmarks from where the motion so far would bring it. From time to time the
    whole picture is scanned for newcomers; a face that the scan does not find again the cascade looks at,
    turned upright, so that nothing is followed for long that is no face. Where following fails the cascade
    searches near that place, and where that fails the whole picture is scanned at once.
    """

    def __init__(self, analyzer: Analyzer, options: StreamOptions) -> None:
        self.use(analyzer)
        self._min_face = options.min_face
        self._tracker = Tracker(options.max_faces)
        self._last: dict[int, _Sighting] = {}
        self._scanned_ms: float | None = None
        self._thorough_ms: float | None = None

    def use(self, analyzer: Analyzer) -> None:
        """Find faces with the detector and landmarks of this analyzer from now on."""
        self._first_look = analyzer.first_look
        self._proposes = analyzer.proposals is not None
        self._detector = analyzer.detector
        self._landmarks = analyzer.landmarks
        self._template = np.array(analyzer.landmarks.card.template)
        self._framing = analyzer.landmarks.card.framing

    @property
    def ids(self) -> frozenset[int]:
        """The faces that are seen, or lost and not yet given up."""
        return frozenset(self._tracker.tracks)

    def forget(self) -> None:
        """Forget every face."""
        self._tracker.forget()
        self._last = {}
        self._scanned_ms = self._thorough_ms = None

    def find(self, grey: Grey, now_ms: float, watch: Stopwatch) -> dict[int, Place]:
        """The places of the faces in the next frame (H x W) by their ids, largest first."""
        watch.lap("detect_ms")
        followed = self._follow(grey, now_ms)
        watch.lap("landmarks_ms")
        seen = self._past_trial(grey, followed, now_ms)
        if scanned := self._scan_is_due([], now_ms):
            seen = self._scan(grey, seen, now_ms, watch)
        seen, missing = self._searched(grey, seen, now_ms, watch)
        if not scanned and self._scan_is_due(missing, now_ms):
            seen = self._scan(grey, seen, now_ms, watch)
        seen = [self._looked_at(grey, sighting, now_ms) for sighting in seen]
        seen = [sighting for sighting in seen if self._is_believed(sighting, now_ms)]
        indices = self._tracker.update([sighting.observation for sighting in seen], now_ms)
        tracks = self._tracker.tracks
        self._last = {id_: known for id_, known in self._last.items() if id_ in tracks}
        self._last |= {id_: seen[index] for id_, index in indices.items()}
        watch.lap("detect_ms")
        # Landmarks tell a face from what only the cascade takes for one; that has to be seen twice.
        shown = {
            id_: Place(tracks[id_].box, seen[index].located)
            for id_, index in indices.items()
            if self._is_clear(seen[index]) or tracks[id_].sightings > 1
        }
        return dict(sorted(shown.items(), key=lambda pair: -pair[1].box.area))

    def _follow(self, grey: Grey, now_ms: float) -> dict[int, _Sighting]:
        """By id, every face whose landmarks are found near where they should be now, lost ones too."""
        awaited = {
            id_: known.located.points + _shift(self._tracker.tracks[id_], now_ms)
            for id_, known in self._last.items()
            if known.located.plausible
        }
        found = self._landmarks.follow(grey, list(awaited.values()))
        height, width = grey.shape
        return {
            id_: replace(self._last[id_], box=self._box_of(located.points), located=located, followed=id_)
            for id_, located in zip(awaited, found, strict=True)
            if located.plausible and _are_inside(located.points, width, height)
        }

    def _past_trial(self, grey: Grey, followed: Mapping[int, _Sighting], now_ms: float) -> list[_Sighting]:
        """The followed faces, but those on trial, new or lost, only where the cascade bears them out."""
        seen = []
        for id_, sighting in followed.items():
            track = self._tracker.tracks[id_]
            if not track.lost and track.sightings >= ESTABLISHED_SIGHTINGS:
                seen.append(sighting)
            elif self._is_face(grey, sighting.located.points):
                seen.append(self._borne_out(sighting, now_ms))
        return seen

    def _looked_at(self, grey: Grey, sighting: _Sighting, now_ms: float) -> _Sighting:
        """Let the cascade look at a face where nothing else has borne it out for a while."""
        if now_ms - sighting.looked_ms < CONFIRM_MS:
            return sighting
        if self._is_face(grey, sighting.located.points):
            return self._borne_out(sighting, now_ms)
        return replace(sighting, looked_ms=now_ms)

    def _borne_out(self, sighting: _Sighting, now_ms: float) -> _Sighting:
        confirmed_ms = now_ms if self._is_clear(sighting) else sighting.confirmed_ms
        return replace(sighting, looked_ms=now_ms, confirmed_ms=confirmed_ms)

    def _is_clear(self, sighting: _Sighting) -> bool:
        return sighting.located.expected_error < CLEAR * self._landmarks.card.plausible_below

    def _is_believed(self, sighting: _Sighting, now_ms: float) -> bool:
        patience_ms = DOUBTED_MS if self._is_clear(sighting) else DOUBTED_VAGUE_MS
        return now_ms - sighting.confirmed_ms < patience_ms

    def _is_face(self, grey: Grey, points: Points) -> bool:
        """Whether the cascade sees a face where these points (5 x 2) have one, however it is tilted."""
        frame = frame_of(points, self._template)
        roll = roll_degrees(similarity(self._template, points))
        matrix = box_matrix(frame, _LOOK_PX, margin=_LOOK_MARGIN, roll_degrees=roll)
        patch = warp(grey, centred(matrix), _LOOK_PX)
        side = _LOOK_PX / (1 + 2 * _LOOK_MARGIN)
        box = box_framed_by(Box(side * _LOOK_MARGIN, side * _LOOK_MARGIN, side, side), self._framing)
        return self._detector.search(patch, [box])[0] is not None

    def _searched(
        self, grey: Grey, seen: list[_Sighting], now_ms: float, watch: Stopwatch
    ) -> tuple[list[_Sighting], list[Track]]:
        """Look for each missing face near where it should be; also who is missing still."""
        missing = self._missing(seen, now_ms)
        if not missing:
            return seen, missing
        found = self._detector.search(grey, [track.at(now_ms).box for track in missing])
        hits = [(track.id, hit) for track, hit in zip(missing, found, strict=True) if hit is not None]
        if not hits:
            return seen, missing
        located = self._locate(grey, [hit for _, hit in hits], watch)
        seen = seen + [
            replace(self._last[id_], box=hit.box, located=points, followed=id_, looked_ms=now_ms)
            for (id_, hit), points in zip(hits, located, strict=True)
            if points.is_face
        ]
        return seen, self._missing(seen, now_ms)

    def _locate(self, grey: Grey, hits: Sequence[Detection], watch: Stopwatch) -> list[Located]:
        watch.lap("detect_ms")
        located = self._landmarks.locate(grey, [hit.box for hit in hits], [hit.roll_degrees for hit in hits])
        watch.lap("landmarks_ms")
        return located

    def _scan(
        self, grey: Grey, seen: Sequence[_Sighting], now_ms: float, watch: Stopwatch
    ) -> list[_Sighting]:
        """Look for faces in the whole picture; those that are seen already, now confirmed, and the others."""
        self._scanned_ms = now_ms
        watch.lap("detect_ms")
        places = self._first_look(grey, self._min_face, watch)
        thorough = not seen and (self._thorough_ms is None or now_ms - self._thorough_ms >= THOROUGH_MS)
        if places or (self._proposes and not thorough):
            return self._joined(seen, places, now_ms)  # cascades find little that this look does not
        if thorough:
            self._thorough_ms = now_ms
        hits = self._detector.detect(grey, min_face=self._min_face, thorough=thorough)

        def is_at(hit: Detection, sighting: _Sighting) -> bool:
            return overlap_of_smaller(hit.box, sighting.box) > SAME_FACE

        news = [hit for hit in hits if not any(is_at(hit, sighting) for sighting in seen)]
        located = self._locate(grey, news, watch)
        return self._joined(
            seen,
            [Place(hit.box, points) for hit, points in zip(news, located, strict=True) if points.is_face],
            now_ms,
            [hit.box for hit in hits],
        )

    def _joined(
        self,
        seen: Sequence[_Sighting],
        places: Sequence[Place],
        now_ms: float,
        confirmed: Sequence[Box] | None = None,
    ) -> list[_Sighting]:
        """The faces seen, those that lie at `confirmed` boxes borne out, and the others of `places`."""
        boxes = [place.box for place in places] if confirmed is None else confirmed

        def lies_at(box: Box, sighting: _Sighting) -> bool:
            return overlap_of_smaller(box, sighting.box) > SAME_FACE

        return [
            replace(sighting, looked_ms=now_ms, confirmed_ms=now_ms)
            if any(lies_at(box, sighting) for box in boxes)
            else sighting
            for sighting in seen
        ] + [
            _Sighting(place.box, place.located, None, now_ms, now_ms)
            for place in places
            if not any(lies_at(place.box, sighting) for sighting in seen)
        ]

    def _scan_is_due(self, missing: Sequence[Track], now_ms: float) -> bool:
        if self._scanned_ms is None:
            return True
        pause_ms = SCAN_MS
        if not self._tracker.tracks or not all(track.lost for track in missing):
            pause_ms = SCAN_EMPTY_MS
        elif missing:
            pause_ms = SCAN_LOST_MS
        return now_ms - self._scanned_ms >= pause_ms

    def _missing(self, seen: Sequence[_Sighting], now_ms: float) -> list[Track]:
        found = self._tracker.match([sighting.observation for sighting in seen], now_ms)
        return [track for id_, track in self._tracker.tracks.items() if id_ not in found]

    def _box_of(self, points: Points) -> Box:
        return box_framed_by(frame_of(points, self._template), self._framing)


def _shift(track: Track, now_ms: float) -> tuple[float, float]:
    """How far a face should have moved (x, y) since it was seen."""
    expected = track.at(now_ms).box
    return expected.x - track.box.x, expected.y - track.box.y


def _are_inside(points: Points, width: int, height: int) -> bool:
    x, y = points.T
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    return int(inside.sum()) >= _POINTS_INSIDE
