"""Ids of boxes that move, cross, vanish, come back, or are not there at all."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_gateway.tracking.tracker import COVERED_MS, LOST_MS, Observation, Tracker
from fer_gateway.vision.geometry import Box

STEP_MS = 1000 / 30

Path = Callable[[float], tuple[float, float] | None]


def square(x: float, y: float, side: float = 100.0) -> Box:
    """The box with this centre."""
    return Box(x - side / 2, y - side / 2, side, side)


def update(tracker: Tracker, boxes: list[Box], now_ms: float) -> list[int | None]:
    """The id of each box."""
    indices = tracker.update([Observation(box) for box in boxes], now_ms)
    ids = {index: id_ for id_, index in indices.items()}
    return [ids.get(index) for index in range(len(boxes))]


def play(paths: list[Path], duration_ms: float, step_ms: float = STEP_MS) -> list[list[int | None]]:
    """The ids that each face has over time, where it is there."""
    tracker = Tracker()
    histories: list[list[int | None]] = [[] for _ in paths]
    for number in range(round(duration_ms / step_ms)):
        now_ms = number * step_ms
        places = {index: place for index, path in enumerate(paths) if (place := path(now_ms)) is not None}
        ids = update(tracker, [square(*place) for place in places.values()], now_ms)
        for index, id_ in zip(places, ids, strict=True):
            histories[index].append(id_)
    return histories


def swing(amplitude: float, period_ms: float, y: float = 200.0, *, mirrored: bool = False) -> Path:
    sign = -1 if mirrored else 1
    return lambda now_ms: (320 + sign * amplitude * math.cos(2 * math.pi * now_ms / period_ms), y)


def test_ids_count_up() -> None:
    tracker = Tracker()
    assert update(tracker, [square(100, 100), square(400, 100)], 0) == [0, 1]
    assert update(tracker, [square(402, 101), square(99, 100)], 33) == [1, 0]
    tracker.forget()
    assert update(tracker, [square(100, 100)], 66) == [2]


@pytest.mark.parametrize("step_ms", [10.0, 33.3, 100.0, 200.0])
def test_a_moving_face_is_one(step_ms: float) -> None:
    """At its fastest it moves by its own side in a third of a second."""
    (ids,) = play([swing(150, 3000)], 10_000, step_ms)
    assert set(ids) == {0}


@pytest.mark.parametrize("period_ms", [2000.0, 4000.0, 8000.0])
@pytest.mark.parametrize("apart_px", [60.0, 75.0, 100.0])
def test_crossing_faces_keep_their_ids(period_ms: float, apart_px: float) -> None:
    """Both are seen all the time, at different heights: motion tells them apart."""
    first, second = play(
        [swing(250, period_ms), swing(250, period_ms, 200 + apart_px, mirrored=True)], 10_000
    )
    assert (set(first), set(second)) == ({0}, {1})


@pytest.mark.parametrize("speed", [0.15, 0.3, 0.6])
def test_a_face_that_passes_behind_another_keeps_its_id(speed: float) -> None:
    """Faces of 100 px, in px per ms; less than 60 px apart only the one in front is seen."""
    front: Path = lambda now_ms: (50 + speed * now_ms, 200.0)  # noqa: E731

    def behind(now_ms: float) -> tuple[float, float] | None:
        place = 600 - speed * now_ms, 205.0
        return None if abs(place[0] - 50 - speed * now_ms) < 60 else place

    first, second = play([front, behind], 550 / speed)
    assert (set(first), set(second)) == ({0}, {1})


def test_a_face_that_turns_back_behind_another_keeps_its_id() -> None:
    """It comes out where it went in, not where its motion would have brought it."""

    def behind(now_ms: float) -> tuple[float, float] | None:
        place = 320 - 0.2 * abs(now_ms - 1500), 205.0
        return None if place[0] > 260 else place

    front, turned = play([lambda _: (320.0, 200.0), behind], 3000)
    assert (set(front), set(turned)) == ({0}, {1})
    assert len(turned) < 75


@pytest.mark.parametrize(
    ("gap_ms", "kept"), [(100.0, True), (500.0, True), (LOST_MS - 80, True), (LOST_MS + 80, False)]
)
@pytest.mark.parametrize("speed", [0.0, 0.1, 0.3])
def test_a_lost_face_keeps_its_id_for_half_a_second(gap_ms: float, speed: float, *, kept: bool) -> None:
    def path(now_ms: float) -> tuple[float, float] | None:
        return None if 1000 < now_ms < 1000 + gap_ms else (60 + speed * now_ms, 200.0)

    (ids,) = play([path], 3000)
    assert set(ids) == ({0} if kept else {0, 1})


def test_a_slow_stream_loses_no_face() -> None:
    """Frames are further apart than a lost face is kept."""
    (ids,) = play([swing(30, 9000)], 60_000, 1500)
    assert set(ids) == {0}


def test_another_place_is_another_face() -> None:
    tracker = Tracker()
    for number in range(5):
        update(tracker, [square(100, 100)], number * STEP_MS)
    assert update(tracker, [square(400, 300)], 5 * STEP_MS) == [1]
    assert update(tracker, [square(100, 100, 30)], 6 * STEP_MS) == [2]


def test_a_false_alarm_disturbs_nobody() -> None:
    """It gets an id and is gone with it; beside a face, on it, and where a lost one should come back."""
    tracker = Tracker()
    for number in range(10):
        assert update(tracker, [square(200, 200)], number * STEP_MS) == [0]
    assert update(tracker, [square(200, 200), square(330, 200)], 10 * STEP_MS) == [0, 1]
    assert set(tracker.tracks) == {0, 1}
    assert update(tracker, [square(205, 200)], 11 * STEP_MS) == [0]
    assert set(tracker.tracks) == {0}
    assert update(tracker, [square(200, 220, 40), square(205, 200)], 12 * STEP_MS) == [None, 0]
    assert update(tracker, [square(400, 400)], 13 * STEP_MS) == [2]
    assert update(tracker, [square(205, 200)], 14 * STEP_MS) == [0]


def test_two_observations_of_one_face() -> None:
    """A face that was followed onto another one is lost, and the other is not."""
    tracker = Tracker()
    for number in range(5):
        update(tracker, [square(100, 100), square(250, 100)], number * STEP_MS)
    followed = [Observation(square(243, 100), followed=0), Observation(square(249, 100), followed=1)]
    assert tracker.match(followed, 5 * STEP_MS) == {1: 1}
    assert tracker.update(followed, 5 * STEP_MS) == {1: 1}
    assert tracker.tracks[0].lost
    assert tracker.tracks[0].box.centre[0] == pytest.approx(100)


def test_faces_that_were_followed_onto_each_other() -> None:
    """The claim of the id that a box was followed from gives way to plain motion."""
    tracker = Tracker()
    for number in range(5):
        update(tracker, [square(100, 100), square(180, 100)], number * STEP_MS)
    followed = [Observation(square(180, 100), followed=0), Observation(square(100, 100), followed=1)]
    assert tracker.update(followed, 5 * STEP_MS) == {0: 1, 1: 0}


def test_matching_changes_nothing() -> None:
    tracker = Tracker()
    update(tracker, [square(100, 100)], 0)
    before = dict(tracker.tracks)
    tracker.match([Observation(square(120, 100)), Observation(square(300, 100))], 33)
    assert dict(tracker.tracks) == before


def test_places_are_limited() -> None:
    tracker = Tracker(max_tracks=2)
    for number in range(5):
        assert update(tracker, [square(100, 100), square(400, 100, 90)], number * STEP_MS) == [0, 1]
    now_ms = 5 * STEP_MS
    faces = [square(100, 100), square(400, 100, 90)]
    assert update(tracker, [*faces, square(250, 350, 95)], now_ms) == [0, 1, None]
    assert update(tracker, [*faces, square(250, 350, 150)], now_ms + 33) == [0, None, 2]
    assert update(tracker, [square(250, 350, 150), square(550, 350)], now_ms + 66) == [2, 3]


def test_the_speed_is_learned_and_the_box_leads_on() -> None:
    tracker = Tracker()
    for number in range(30):
        update(tracker, [square(100 + 5 * number, 200)], number * STEP_MS)
    track = tracker.tracks[0]
    assert track.velocity == pytest.approx((0.15, 0), abs=1e-3)
    assert track.at(29 * STEP_MS + 100).box.centre == pytest.approx((260, 200), abs=0.5)
    # A face may stop: half a second on it is waited for, but no further.
    assert track.at(1e9).box == track.at(29 * STEP_MS + 500).box


def test_jumping_sizes_are_smoothed() -> None:
    """Those of Haar boxes are good to a tenth or so; the first box is taken as it is."""
    tracker = Tracker()
    sides = [100.0, 115, 90, 110, 92, 108, 100, 112, 95]
    smoothed = []
    for number, side in enumerate(sides):
        update(tracker, [square(200, 200, side)], number * STEP_MS)
        smoothed.append(tracker.tracks[0].box.side)
    assert smoothed[0] == 100
    assert max(smoothed) - min(smoothed) < (max(sides) - min(sides)) / 2


numbers = st.one_of(st.floats(-300, 900), st.floats(), st.just(0.0))
boxes = st.builds(Box, numbers, numbers, numbers, numbers)
observations = st.builds(Observation, boxes, st.one_of(st.none(), st.integers(-1, 5)))
moments = st.one_of(st.floats(0, 5000), st.floats())


@given(st.lists(st.tuples(st.lists(observations, max_size=6), moments), max_size=12), st.integers(1, 4))
def test_anything_may_come(frames: list[tuple[list[Observation], float]], max_tracks: int) -> None:
    """No error, no id twice in a frame or for a second face, and nothing but sane boxes."""
    tracker = Tracker(max_tracks)
    gone: set[int] = set()
    known: set[int] = set()
    for seen, now_ms in frames:
        ids = tracker.update(seen, now_ms)
        assert len(set(ids.values())) == len(ids) <= max_tracks
        assert all(0 <= index < len(seen) for index in ids.values())
        assert set(ids) <= set(tracker.tracks)
        assert len(tracker.tracks) <= max_tracks
        assert not gone & set(tracker.tracks)
        gone |= known - set(tracker.tracks)
        known = set(tracker.tracks)
        for track in tracker.tracks.values():
            box = track.at(now_ms).box
            assert all(map(math.isfinite, (box.x, box.y, box.width, box.height, *track.velocity)))
            assert min(box.width, box.height) > 0


@given(st.lists(st.floats(0, 400), min_size=2, max_size=20))
def test_two_faces_apart_never_swap(steps_ms: list[float]) -> None:
    """Three sides apart, standing, at any frame rate and in any order."""
    tracker = Tracker()
    now_ms = 0.0
    for number, step_ms in enumerate(steps_ms):
        now_ms += step_ms
        left, right = square(100, 100), square(400, 120)
        if number % 2:
            assert update(tracker, [right, left], now_ms) == [1, 0]
        else:
            assert update(tracker, [left, right], now_ms) == [0, 1]


def test_how_long_a_covered_face_is_waited_for() -> None:
    """Another face moves in front of one that stands still, and stays."""
    tracker = Tracker()
    for number in range(5):
        update(tracker, [square(100 + 10 * number, 200), square(300, 200)], number * STEP_MS)
    for number in range(5, 160):
        update(tracker, [square(min(100 + 10 * number, 290), 200)], number * STEP_MS)
        waited_ms = (number - 4) * STEP_MS
        if waited_ms < LOST_MS or 1000 < waited_ms < COVERED_MS:
            assert 1 in tracker.tracks
    assert 1 not in tracker.tracks
