"""Measures of a face: on a photo that is spoilt on purpose, and for any picture, box and points."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_gateway.analyzer import Analyzer, Place, Stopwatch
from fer_gateway.contract import FaceSpec, Framing, ModelCard
from fer_gateway.doubt import LIMITS, REASONS, doubts
from fer_gateway.options import DEFAULT_OPTIONS
from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Points
from fer_gateway.vision.pose import Pose, mean_face, turned
from fer_gateway.vision.quality import Quality, edge_steepness, measure_quality

Change = Callable[[Grey], Grey]

TEMPLATE = ((0.32, 0.38), (0.67, 0.38), (0.5, 0.58), (0.36, 0.75), (0.65, 0.75))
BOXED = FaceSpec(size_px=48, framing=Framing(scale=1.0, offset_x=0.0, offset_y=0.0), cascade_sha256="0" * 64)
ALIGNED = BOXED.model_copy(update={"algorithm": "landmarks-v1", "template": TEMPLATE})
COORDINATES = st.floats(-1e4, 1e4)
PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60)))
POINTS = arrays(np.float64, (5, 2), elements=COORDINATES)


@pytest.fixture(scope="module")
def analyzer(default_model: Path) -> Analyzer:
    return Analyzer.open(default_model)


@pytest.fixture(scope="module")
def photo(analyzer: Analyzer, astronaut: Path) -> Grey:
    return analyzer.decode(astronaut.read_bytes())


@pytest.fixture(scope="module")
def place(analyzer: Analyzer, photo: Grey) -> Place:
    found = analyzer.find(photo, DEFAULT_OPTIONS, Stopwatch())
    return next(place for place in found if place.located.plausible)


def times(gain: float) -> Change:
    return lambda grey: (grey * gain).clip(0, 255).astype(np.uint8)


def faded(share: float) -> Change:
    return lambda grey: ((grey - 150.0) * share + 150).astype(np.uint8)


def blurred(sigma_px: float) -> Change:
    return lambda grey: np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma_px), np.uint8)


def moved(length_px: int) -> Change:
    kernel = np.full((1, length_px), 1 / length_px, np.float32)
    return lambda grey: np.asarray(cv2.filter2D(grey, -1, kernel), np.uint8)


def noisy(deviation: float) -> Change:
    noise = np.random.default_rng(0).normal(0, deviation, (512, 512))
    return lambda grey: (grey + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        pytest.param(lambda grey: grey, (), id="as it is"),
        pytest.param(times(0.1), ("too_dark",), id="dark"),
        pytest.param(times(0.5), (), id="a little dark"),
        pytest.param(times(4.0), ("too_bright",), id="white"),
        pytest.param(faded(0.15), ("low_contrast",), id="pale"),
        pytest.param(faded(0.5), (), id="a little pale"),
        pytest.param(blurred(4), ("blurred",), id="out of focus"),
        pytest.param(blurred(1), (), id="a little out of focus"),
        pytest.param(moved(15), ("blurred",), id="moved"),
        pytest.param(lambda grey: blurred(4)(times(0.45)(grey)), ("blurred",), id="blurred in poor light"),
        pytest.param(noisy(12), (), id="noise is no blur and no sharpness"),
        pytest.param(lambda grey: noisy(6)(blurred(6)(grey)), ("blurred",), id="noise hides no blur"),
    ],
)
def test_reasons_of_a_spoilt_photo(
    analyzer: Analyzer, photo: Grey, place: Place, change: Change, reasons: tuple[str, ...]
) -> None:
    """The face is 100 px wide, so that 4 px are 2 of 48."""
    spec = analyzer.card.face
    quality = measure_quality(change(photo), place.box, spec, place.located.points)
    assert doubts(1.0, quality, analyzer.card) == reasons


@pytest.mark.parametrize(("side_px", "small"), [(14, True), (18, True), (30, False), (60, False)])
def test_a_small_face_is_small_and_not_blurred(
    analyzer: Analyzer, photo: Grey, place: Place, side_px: float, small: bool
) -> None:
    factor = side_px / measure_quality(photo, place.box, analyzer.card.face, None).size_px
    shrunk = np.asarray(cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    points = place.located.points * factor
    quality = measure_quality(shrunk, place.box.scaled(factor), analyzer.card.face, points)
    assert quality.size_px == pytest.approx(side_px, rel=0.15)
    assert doubts(1.0, quality, analyzer.card) == (("too_small",) if small else ())


def test_an_enlarged_face_is_as_large_as_it_is_and_not_sharper(
    analyzer: Analyzer, photo: Grey, place: Place
) -> None:
    """A blurred face does not get sharp by more pixels, nor a sharp one blurred by less than 48."""
    large = np.asarray(cv2.resize(photo, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR), np.uint8)
    spec = analyzer.card.face
    was, now = (
        measure_quality(grey, place.box.scaled(factor), spec, None)
        for grey, factor in ((photo, 1), (large, 3))
    )
    assert now.size_px == pytest.approx(3 * was.size_px)
    assert now.sharpness == pytest.approx(was.sharpness, abs=0.05)


@pytest.mark.parametrize(("missing", "cut"), [(0.0, False), (0.1, False), (0.4, True), (0.7, True)])
@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_face_that_reaches_over_the_edge(photo: Grey, edge: str, missing: float, cut: bool) -> None:
    box = Box(175, 65, 100, 100)
    gone = round(100 * missing)
    pictures = {
        "left": (photo[:, 175 + gone :], Box(-gone, 65, 100, 100)),
        "right": (photo[:, : 275 - gone], box),
        "top": (photo[65 + gone :], Box(175, -gone, 100, 100)),
        "bottom": (photo[: 165 - gone], box),
    }
    grey, where = pictures[edge]
    quality = measure_quality(grey, where, BOXED, None)
    assert quality.inside == pytest.approx(1 - missing)
    assert (quality.inside < LIMITS.inside) == cut


@pytest.mark.parametrize(
    ("pose", "spec", "reasons"),
    [
        (Pose(0, 0, 0), ALIGNED, ()),
        (Pose(25, 10, 0), ALIGNED, ()),
        (Pose(45, 0, 0), ALIGNED, ("turned_away",)),
        (Pose(-45, 0, 0), ALIGNED, ("turned_away",)),
        (Pose(0, -45, 0), ALIGNED, ("turned_away",)),
        (Pose(0, 0, 50), ALIGNED, ()),
        (Pose(0, 0, 50), BOXED, ("tilted",)),
        (Pose(0, 0, -50), BOXED, ("tilted",)),
        (Pose(0, 0, 15), BOXED, ()),
        (None, ALIGNED, ("not_aligned",)),
        (None, BOXED, ("not_aligned",)),
    ],
    ids=str,
)
def test_reasons_of_a_pose(
    analyzer: Analyzer, photo: Grey, pose: Pose | None, spec: FaceSpec, reasons: tuple[str, ...]
) -> None:
    points: Points | None = None
    if pose is not None:
        points = (mean_face() @ turned(pose).T)[:, :2] * 40 + (225, 118)
    quality = measure_quality(photo, Box(175, 65, 100, 100), spec, points)
    assert quality.aligned == (points is not None and spec.template is not None)
    assert doubts(1.0, quality, with_face(analyzer.card, spec)) == reasons


def with_face(card: ModelCard, spec: FaceSpec) -> ModelCard:
    return card.model_copy(update={"face": spec})


def test_sharpness_falls_with_blur_alone() -> None:
    random = np.random.default_rng(1)
    blocks = np.kron(random.integers(0, 256, (6, 6)), np.ones((8, 8))).astype(np.uint8)
    steps = [edge_steepness(blocks), *(edge_steepness(blurred(sigma)(blocks)) for sigma in (0.7, 1.2, 2, 4))]
    assert steps[0] > 0.9
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] < 0.1
    pale = (blocks * 0.3 + 100).astype(np.uint8)
    assert edge_steepness(blurred(1.2)(pale)) == pytest.approx(edge_steepness(blurred(1.2)(blocks)), abs=0.02)


@pytest.mark.parametrize(
    "patch",
    [
        np.full((48, 48), 90, np.uint8),
        np.tile(np.arange(0, 240, 5, dtype=np.uint8), (48, 1)),
        np.zeros((1, 1), np.uint8),
        np.zeros((8, 48), np.uint8),
    ],
    ids=["flat", "ramp", "a pixel", "a strip"],
)
def test_nothing_sharp(patch: Grey) -> None:
    assert edge_steepness(patch) == pytest.approx(0, abs=1e-6)


@given(
    PICTURES,
    st.builds(Box, COORDINATES, COORDINATES, st.floats(0, 1e4), st.floats(0, 1e4)),
    st.sampled_from([BOXED, ALIGNED]),
    st.none() | POINTS | st.builds(lambda x, y: np.full((5, 2), (x, y)), COORDINATES, COORDINATES),
)
def test_any_face_has_measures_in_range(grey: Grey, box: Box, spec: FaceSpec, points: Points | None) -> None:
    quality = measure_quality(grey, box, spec, points)
    check_ranges(quality)
    assert quality.aligned == (points is not None and spec.template is not None)


@given(
    PICTURES, arrays(np.float64, (5, 2), elements=st.floats(allow_nan=True, allow_infinity=True, width=64))
)
def test_points_without_a_place_count_as_none(grey: Grey, points: Points) -> None:
    quality = measure_quality(grey, Box(5, 5, 20, 20), ALIGNED, points)
    check_ranges(quality)
    if not np.isfinite(points).all():
        assert quality == measure_quality(grey, Box(5, 5, 20, 20), ALIGNED, None)


def check_ranges(quality: Quality) -> None:
    for share in (quality.sharpness, quality.brightness, quality.overexposed, quality.inside):
        assert 0 <= share <= 1
    assert 0 <= quality.contrast <= 0.5 + 1e-9
    assert quality.size_px >= 0
    angles = (quality.yaw_degrees, quality.pitch_degrees, quality.roll_degrees)
    assert len({angle is None for angle in angles}) == 1
    assert all(angle is None or abs(angle) <= 180 for angle in angles)
    assert set(quality.to_dict()) == set(Quality.__dataclass_fields__)


def good(**changes: float | bool | None) -> Quality:
    measures: dict[str, float | bool | None] = {
        "size_px": 100.0, "sharpness": 0.4, "brightness": 0.5, "contrast": 0.2, "aligned": True,
        "overexposed": 0.0, "inside": 1.0, "yaw_degrees": 0.0, "pitch_degrees": 0.0, "roll_degrees": 0.0,
    }  # fmt: skip
    return Quality(**(measures | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("confidence", "asked", "uncertain"),
    [
        (0.64, None, True),
        (0.65, None, False),
        (0.3, 0.2, False),
        (0.3, 0.3, False),
        (0.99, 1.0, True),
        (0.0, 0.0, False),
    ],
)
def test_confidence(analyzer: Analyzer, confidence: float, asked: float | None, uncertain: bool) -> None:
    card = analyzer.card
    assert card.doubt is not None
    card = card.model_copy(update={"doubt": card.doubt.model_copy(update={"uncertain_below": 0.65})})
    assert doubts(confidence, good(), card, asked) == (("low_confidence",) if uncertain else ())


def test_without_a_doubt_in_the_card_confidence_is_no_reason(analyzer: Analyzer) -> None:
    card = analyzer.card.model_copy(update={"doubt": None})
    assert doubts(0.0, good(), card) == ()
    assert doubts(0.1, good(), card, 0.2) == ("low_confidence",)


def test_reasons_come_in_one_order_and_all_can_come(analyzer: Analyzer) -> None:
    bad = good(
        size_px=5.0, inside=0.1, contrast=0.01, brightness=0.1, overexposed=0.9, sharpness=0.0,
        aligned=False, yaw_degrees=80.0, roll_degrees=80.0,
    )  # fmt: skip
    pale = good(contrast=0.01, yaw_degrees=None, roll_degrees=None)
    seen = (*doubts(0.0, bad, analyzer.card, 1.0), *doubts(1.0, pale, analyzer.card))
    assert set(seen) == set(REASONS)
    order = list(REASONS)
    first = [order.index(reason) for reason in doubts(0.0, bad, analyzer.card, 1.0)]
    assert first == sorted(first)
    assert all(meaning.endswith(".") for meaning in REASONS.values())
