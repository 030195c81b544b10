"""The pipeline of a stream: newcomers, starting anew, options, cost, and senseless input."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_gateway.analyzer import Analyzer
from fer_gateway.errors import DamagedImage, UnsupportedImage
from fer_gateway.follower import SCAN_MS
from fer_gateway.live import PAUSE_MS, LiveAnalyzer
from fer_gateway.options import StreamOptions
from fer_gateway.tracking.tracker import LOST_MS
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.geometry import Box

from .clip_report import Report, scans_of, watch
from .clips import STEP_MS, Clip, ClipFrame, Pose, Sprite, actor, background, encode

STAGES = ("decode_ms", "detect_ms", "landmarks_ms", "crop_ms", "infer_ms", "judge_ms", "total_ms")


def still(sprite: Sprite, frames: int) -> list[ClipFrame]:
    """A face that stands still, with noise."""
    clip = Clip(
        background("brick.png"), [actor("face", sprite, lambda _: Pose(320, 240, 120))], frames * STEP_MS
    )
    return list(clip.frames())


def test_a_followed_frame_costs_a_fraction_of_a_scanned_one(
    counting_analyzer: Analyzer, hopper: Sprite
) -> None:
    """Thread time, in one run; the scan alone against all that a followed frame does to find its face."""
    live = LiveAnalyzer(counting_analyzer)
    scanned: list[float] = []
    followed: list[float] = []
    for frame in still(hopper, 60):
        before = scans_of(counting_analyzer)
        started = time.thread_time()
        live.analyze(frame.jpeg, frame.captured_ms)
        (followed if scans_of(counting_analyzer) == before else scanned).append(time.thread_time() - started)
    assert len(followed) > 50
    assert statistics.median(followed) < statistics.median(scanned) / 2


def test_a_newcomer_is_seen_within_half_a_second(
    counting_analyzer: Analyzer, hopper: Sprite, collins: Sprite
) -> None:
    clip = Clip(
        background("brick.png"),
        [
            actor("hopper", hopper, lambda _: Pose(160, 240, 120)),
            actor("collins", collins, lambda now_ms: Pose(470, 240, 110) if now_ms >= 600 else None),
        ],
        duration_ms=1200,
    )
    report = watch(LiveAnalyzer(counting_analyzer), clip.frames())
    missed = report.visible["collins"] - len(report.ids["collins"])
    assert missed * STEP_MS <= SCAN_MS + 2 * STEP_MS <= 500
    assert (set(report.ids["hopper"]), report.switches("collins")) == ({0}, 0)


def test_what_is_no_face_is_not_followed(counting_analyzer: Analyzer, hopper: Sprite) -> None:
    """A face is painted over: its landmarks are not found in what is there now, and no id lives on."""
    frames = still(hopper, 12)
    empty = encode(background("brick.png"))
    live = LiveAnalyzer(counting_analyzer)
    assert all(len(live.analyze(frame.jpeg, frame.captured_ms).faces) == 1 for frame in frames)
    start_ms = frames[-1].captured_ms
    assert not any(live.analyze(empty, start_ms + number * STEP_MS).faces for number in range(1, 12))
    # Half a second later it is the same face; after more than it is waited for it is another one.
    (face,) = live.analyze(frames[0].jpeg, start_ms + 500).faces
    assert face.id == 0
    for number in range(1, 40):
        live.analyze(empty, start_ms + 500 + number * STEP_MS)
    (face,) = live.analyze(frames[0].jpeg, start_ms + 500 + LOST_MS + 1000).faces
    assert face.id != 0


@pytest.mark.parametrize("how", ["reset", "pause", "size"])
def test_starting_anew(counting_analyzer: Analyzer, hopper: Sprite, how: str) -> None:
    frames = still(hopper, 4)
    live = LiveAnalyzer(counting_analyzer)
    ids = [live.analyze(frame.jpeg, frame.captured_ms).faces[0].id for frame in frames]
    assert ids == [0, 0, 0, 0]
    jpeg, now_ms = frames[0].jpeg, frames[-1].captured_ms + STEP_MS
    if how == "reset":
        live.reset()
    elif how == "pause":
        now_ms += PAUSE_MS
    else:
        jpeg = encode(np.asarray(decode_grey(jpeg)[:, 20:], np.uint8))
    (face,) = live.analyze(jpeg, now_ms).faces
    assert face.id == 1


def test_a_damaged_frame_changes_nothing(counting_analyzer: Analyzer, hopper: Sprite) -> None:
    frames = still(hopper, 6)
    live = LiveAnalyzer(counting_analyzer)
    for frame in frames:
        for broken, error in ((b"text", UnsupportedImage), (b"\xff\xd8\xff\xe0broken", DamagedImage)):
            with pytest.raises(error):
                live.analyze(broken, 1e9)
        (face,) = live.analyze(frame.jpeg, frame.captured_ms).faces
        assert face.id == 0


def test_the_first_frame_is_that_of_a_picture(counting_analyzer: Analyzer, hopper: Sprite) -> None:
    (frame,) = still(hopper, 1)
    alone = counting_analyzer.analyze(frame.jpeg, StreamOptions())
    (face,) = LiveAnalyzer(counting_analyzer).analyze(frame.jpeg, 0.0).faces
    assert replace(face, id=None) == alone.faces[0]


def test_options(counting_analyzer: Analyzer, hopper: Sprite, collins: Sprite) -> None:
    clip = Clip(
        background("brick.png"),
        [
            actor("collins", collins, lambda _: Pose(470, 240, 80)),
            actor("hopper", hopper, lambda _: Pose(160, 240, 140)),
        ],
        duration_ms=300,
    )
    frames = list(clip.frames())

    def report(**options: object) -> Report:
        return watch(LiveAnalyzer(counting_analyzer, StreamOptions.model_validate(options)), frames)

    every = report()
    assert [len(analysis.faces) for analysis in every.analyses] == [2] * len(frames)
    for analysis in every.analyses:
        first, second = analysis.faces
        assert first.box.area > second.box.area
        assert first.landmarks is not None
        assert tuple(analysis.timing) == STAGES
    largest = report(max_faces=1)
    assert set(largest.ids) == {"hopper"}
    assert all(face.landmarks is None for one in report(landmarks=False).analyses for face in one.faces)
    assert all(
        face.uncertain and "low_confidence" in face.reasons
        for one in report(uncertain_below=1.0).analyses
        for face in one.faces
    )
    raw = report(smooth=False)
    for smooth_one, raw_one in zip(every.analyses[1:], raw.analyses[1:], strict=True):
        assert smooth_one.faces[0].probabilities != raw_one.faces[0].probabilities
    for analysis in raw.analyses:
        for face in analysis.faces:
            assert face.confidence == max(face.probabilities)


@pytest.fixture(scope="module")
def odd_live(tiny_model: Path) -> LiveAnalyzer:
    return LiveAnalyzer(Analyzer.open(tiny_model))


@pytest.fixture(scope="module")
def odd_pictures(hopper: Sprite) -> Sequence[bytes]:
    """From one pixel to a face that fills the picture, or is cut by its edge."""
    sizes = [(1, 1), (1, 300), (300, 1), (2, 3), (17, 19), (64, 48)]
    face = decode_grey(still(hopper, 1)[0].jpeg)
    parts = [face, face[200:, 250:], face[:, :320], face[180:300, 260:380]]
    random = np.random.default_rng(0)
    noise = [random.integers(0, 256, size, np.uint8) for size in sizes]
    return [encode(np.asarray(picture, np.uint8)) for picture in [*noise, *parts]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.floats()), min_size=1, max_size=4))
def test_anything_may_come(
    odd_live: LiveAnalyzer, odd_pictures: Sequence[bytes], frames: list[tuple[int, float]]
) -> None:
    """Sizes that change, times that jump: an answer to every frame, ids once each, boxes in the picture."""
    for number, captured_ms in frames:
        analysis = odd_live.analyze(odd_pictures[number], captured_ms)
        ids = [face.id for face in analysis.faces]
        assert len(set(ids)) == len(ids)
        for face in analysis.faces:
            assert sum(face.probabilities) == pytest.approx(1)
            assert 0 <= face.box.x <= face.box.x + face.box.width <= 1 + 1e-9
            assert 0 <= face.box.y <= face.box.y + face.box.height <= 1 + 1e-9


@pytest.mark.parametrize("captured_ms", [[5.0] * 8, [800.0 - 100 * number for number in range(8)]])
def test_timestamps_that_do_not_grow(
    counting_analyzer: Analyzer, hopper: Sprite, captured_ms: list[float]
) -> None:
    """Such frames count as a thirtieth of a second apart: followed and smoothed as ever."""
    live, straight = LiveAnalyzer(counting_analyzer), LiveAnalyzer(counting_analyzer)
    for number, (frame, odd_ms) in enumerate(zip(still(hopper, 8), captured_ms, strict=True)):
        (odd,) = live.analyze(frame.jpeg, odd_ms).faces
        (face,) = straight.analyze(frame.jpeg, number * STEP_MS).faces
        assert odd.id == face.id == 0
        assert odd.probabilities == pytest.approx(face.probabilities)


def test_boxes_do_not_jump_as_a_scan_comes(counting_analyzer: Analyzer, hopper: Sprite) -> None:
    """Followed boxes are those that Haar draws, and change little from frame to frame."""
    live = LiveAnalyzer(counting_analyzer)
    boxes: list[Box] = [
        live.analyze(frame.jpeg, frame.captured_ms).faces[0].box for frame in still(hopper, 40)
    ]
    first = boxes[0]
    for box in boxes:
        assert math.dist(box.centre, first.centre) < 0.1 * first.side
        assert abs(math.log(box.side / first.side)) < 0.15
    for before, after in pairwise(boxes[5:]):
        assert math.dist(before.centre, after.centre) < 0.02 * first.side
        assert abs(math.log(before.side / after.side)) < 0.02
