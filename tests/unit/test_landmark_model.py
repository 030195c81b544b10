"""The packaged landmark model on two real photos, and what a wrong file is told."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_gateway.contract import LANDMARK_CARD_KEY, LandmarkCard
from fer_gateway.errors import InvalidModel, ModelNotFound, ProviderUnavailable, SelfTestFailed
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.models import PACKAGED_LANDMARKS
from fer_gateway.vision.align import Grey, centred
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Points, mirrored, transformed

FACES = {
    "astronaut": (Box(175, 65, 98, 98), [[203.5, 101], [246, 103], [223, 127], [205, 141], [243, 142]]),
    "grace_hopper": (Box(147, 101, 230, 230), [[223, 189], [304, 185], [266, 243], [228, 278], [306, 276]]),
}
"""Boxes and points of the two photos, read off by eye, in pixels."""


@pytest.fixture(scope="module")
def model() -> LandmarkModel:
    return LandmarkModel.open(PACKAGED_LANDMARKS)


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> tuple[Grey, Box, Points]:
    box, points = FACES[request.param]
    grey = decode_grey(request.getfixturevalue(request.param).read_bytes())
    return grey, box, np.array(points, np.float64)


def error_of(found: Points, expected: Points) -> float:
    """Mean distance of the points over that of the eyes."""
    return float(np.hypot(*(found - expected).T).mean() / np.hypot(*(expected[1] - expected[0])))


def test_it_keeps_its_promises(model: LandmarkModel) -> None:
    assert PACKAGED_LANDMARKS.stat().st_size <= 400_000
    (error,) = model.card.errors
    assert error.mean <= 0.065
    assert error.median < error.mean < error.percentile_95


def test_points_are_where_a_person_sees_them(model: LandmarkModel, face: tuple[Grey, Box, Points]) -> None:
    grey, box, expected = face
    (located,) = model.locate(grey, [box])
    assert located.plausible
    assert error_of(located.points, expected) < 0.12


def test_a_box_that_is_off_gives_the_same_points(
    model: LandmarkModel, face: tuple[Grey, Box, Points]
) -> None:
    grey, box, _ = face
    (still,) = model.locate(grey, [box])
    random = np.random.default_rng(0)
    boxes = []
    for _ in range(40):
        side = box.side * random.uniform(0.8, 1.2)
        x, y = np.array(box.centre) + random.uniform(-0.1, 0.1, 2) * box.side
        boxes.append(Box(x - side / 2, y - side / 2, side, side))
    errors = [error_of(located.points, still.points) for located in model.locate(grey, boxes)]
    assert np.mean(errors) < 0.03
    assert max(errors) < 0.12


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_points_turn_with_the_picture(
    model: LandmarkModel, face: tuple[Grey, Box, Points], degrees: float
) -> None:
    grey, box, _ = face
    (still,) = model.locate(grey, [box])
    turn = np.array(cv2.getRotationMatrix2D(box.centre, -degrees, 1), np.float64)
    turned = cv2.warpAffine(grey, centred(turn), grey.shape[::-1])
    (located,) = model.locate(np.asarray(turned, np.uint8), [box])
    assert error_of(located.points, transformed(still.points, turn)) < 0.08


def test_points_mirror_with_the_picture(model: LandmarkModel, face: tuple[Grey, Box, Points]) -> None:
    grey, box, _ = face
    width = grey.shape[1]
    (still,) = model.locate(grey, [box])
    (flipped,) = model.locate(
        np.ascontiguousarray(grey[:, ::-1]), [Box(width - box.x - box.width, box.y, box.width, box.height)]
    )
    assert error_of(mirrored(flipped.points, width), still.points) < 0.03


def test_following_a_face_that_moved_a_little(model: LandmarkModel, face: tuple[Grey, Box, Points]) -> None:
    grey, box, _ = face
    (still,) = model.locate(grey, [box])
    (followed,) = model.follow(grey, [still.points + 0.05 * box.side])
    assert followed.plausible
    assert error_of(followed.points, still.points) < 0.04


def test_what_is_no_face_is_not_plausible(model: LandmarkModel, face: tuple[Grey, Box, Points]) -> None:
    grey, _, _ = face
    flat = np.full((200, 200), 120, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8)
    for picture in (flat, noise):
        (located,) = model.locate(picture, [Box(50, 50, 100, 100)])
        assert not located.plausible
        assert not located.is_face
    height, width = grey.shape
    (corner,) = model.locate(grey, [Box(width - 60, height - 60, 60, 60)])
    assert not corner.plausible


def test_many_faces_at_once_are_as_one_by_one(model: LandmarkModel, face: tuple[Grey, Box, Points]) -> None:
    grey, box, _ = face
    boxes = [box, Box(box.x + 4, box.y - 3, box.width, box.height)]
    for together, alone in zip(model.locate(grey, boxes), boxes, strict=True):
        np.testing.assert_allclose(together.points, model.locate(grey, [alone])[0].points, atol=0.05)
    assert model.locate(grey, []) == []
    assert model.follow(grey, []) == []


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0, 1e4), st.floats(0, 1e4)),
)
def test_any_picture_and_any_box_give_finite_points(
    shape: tuple[int, int], sides: tuple[float, float, float, float]
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    (located,) = LandmarkModel.open(PACKAGED_LANDMARKS).locate(picture, [Box(*sides)])
    assert np.isfinite(located.points).all()
    assert located.expected_error >= 0


def with_card(path: Path, text: str | None) -> Path:
    proto = onnx.load(PACKAGED_LANDMARKS)
    del proto.metadata_props[:]
    if text is not None:
        onnx.helper.set_model_props(proto, {LANDMARK_CARD_KEY: text})
    onnx.save(proto, path)
    return path


def changed(card: LandmarkCard, path: Path) -> Path:
    """The packaged graph under a card whose self-test expects something else."""
    points = tuple(tuple((x + 0.1, y) for x, y in face) for face in card.self_test.points)
    self_test = card.self_test.model_copy(update={"points": points})
    return with_card(path, card.model_copy(update={"self_test": self_test}).model_dump_json())


def test_wrong_files_are_refused(tmp_path: Path, model: LandmarkModel, default_model: Path) -> None:
    with pytest.raises(ModelNotFound, match="FER_LANDMARKS"):
        LandmarkModel.open(tmp_path / "missing.onnx")
    with pytest.raises(InvalidModel, match=r"no card \(metadata `fer.landmarks`\)"):
        LandmarkModel.open(default_model)
    with pytest.raises(InvalidModel, match=r"no card \(metadata `fer.landmarks`\)"):
        LandmarkModel.open(with_card(tmp_path / "none.onnx", None))
    with pytest.raises(InvalidModel, match="`name`"):
        LandmarkModel.open(with_card(tmp_path / "wrong.onnx", '{"format": "fer.landmarks/1"}'))
    with pytest.raises(SelfTestFailed, match="points are off by"):
        LandmarkModel.open(changed(model.card, tmp_path / "other.onnx"))
    with pytest.raises(ProviderUnavailable):
        LandmarkModel.open(PACKAGED_LANDMARKS, providers=("NoSuchProvider",))
