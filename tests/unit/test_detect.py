"""Faces found in whole pictures and near known places: photos as they are, tilted, dark, in profile."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_gateway.errors import DetectorUnavailable
from fer_gateway.vision.align import Grey
from fer_gateway.vision.cascade import find_cascade
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.detect import FaceDetector
from fer_gateway.vision.geometry import Box, intersection_over_union
from fer_gateway.vision.patch import turned_upright

from .together import THREADS, in_threads

FACES = {"grace_hopper": Box(150, 100, 235, 235), "astronaut": Box(177, 66, 95, 95)}
"""By eye: between the ears, from above the brows to the chin."""


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="module")
def woman(astronaut: Path) -> Grey:
    return decode_grey(astronaut.read_bytes())


def resized(grey: Grey, factor: float) -> Grey:
    return np.asarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("photo", FACES)
@pytest.mark.parametrize("factor", [0.5, 0.75, 1, 1.5, 2, 4])
def test_exactly_the_face(
    photo: str, factor: float, detector: FaceDetector, request: pytest.FixtureRequest
) -> None:
    grey = resized(decode_grey(request.getfixturevalue(photo).read_bytes()), factor)
    (face,) = detector.detect(grey)
    assert intersection_over_union(face.box, FACES[photo].scaled(factor)) > 0.7
    assert (face.roll_degrees, face.frontal) == (0, True)
    assert face.box.width == pytest.approx(face.box.height)


@pytest.mark.parametrize("name", ["coffee", "brick", "grass", "gravel", "moon", "rocket", "text", "page"])
def test_no_face(name: str, detector: FaceDetector) -> None:
    picture = getattr(skimage.data, name)()
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert detector.detect(grey) == []


def test_largest_first(detector: FaceDetector, grace_hopper: Path, woman: Grey) -> None:
    large = decode_grey(grace_hopper.read_bytes())[:512]
    first, second = detector.detect(np.ascontiguousarray(np.hstack([woman, large])))
    assert first.box.x > 512 > second.box.x
    assert first.box.area > second.box.area


@pytest.mark.parametrize("degrees", [-35.0, -30.0, 25.0, 30.0])
@pytest.mark.parametrize("photo", FACES)
def test_a_tilted_face_is_found_with_its_tilt(
    photo: str, degrees: float, detector: FaceDetector, request: pytest.FixtureRequest
) -> None:
    upright = decode_grey(request.getfixturevalue(photo).read_bytes())
    tilted, back = turned_upright(upright, -degrees)  # turned clockwise by `degrees`
    assert detector.detect(tilted, thorough=False) == []
    (face,) = detector.detect(tilted)
    assert face.roll_degrees == np.copysign(25, degrees)
    assert back @ (*face.box.centre, 1) == pytest.approx(FACES[photo].centre, abs=0.15 * face.box.side)


@pytest.mark.parametrize("lift", [0, 200])
def test_a_hardly_lit_face_is_found_by_evening_out_the_light(
    lift: int, detector: FaceDetector, woman: Grey
) -> None:
    flat = (woman * 0.08 + lift).astype(np.uint8)  # twenty grey levels
    assert detector.detect(flat, thorough=False) == []
    (face,) = detector.detect(flat)
    assert intersection_over_union(face.box, FACES["astronaut"]) > 0.5


@pytest.mark.parametrize("mirrored", [False, True])
def test_profiles_either_way(*, mirrored: bool, detector: FaceDetector) -> None:
    """The photographer of `camera` looks to the right."""
    camera = Path(skimage.__file__).parent / "data" / "camera.png"
    grey, head = decode_grey(camera.read_bytes()), Box(180, 80, 110, 110)
    if mirrored:
        grey, head = np.ascontiguousarray(grey[:, ::-1]), Box(512 - 180 - 110, 80, 110, 110)
    assert detector.detect(grey, thorough=False) == []
    (face,) = detector.detect(grey)
    assert not face.frontal
    assert intersection_over_union(face.box, head) > 0.5


def test_smaller_faces_than_asked_for_are_not_looked_for(detector: FaceDetector, woman: Grey) -> None:
    assert detector.detect(woman, min_face=0.15)  # the face is 0.19 of the picture's side
    assert not detector.detect(woman, min_face=0.25)


def test_smaller_faces_can_be_asked_for(detector: FaceDetector, woman: Grey) -> None:
    grey = np.full((960, 960), 90, np.uint8)
    grey[300:556, 300:556] = resized(woman, 0.5)  # a face of 0.05 of the side
    assert detector.detect(grey) == []
    (face,) = detector.detect(grey, min_face=0.04)
    assert intersection_over_union(face.box, Box(388, 333, 48, 48)) > 0.6


def test_threads_agree(detector: FaceDetector, woman: Grey, grace_hopper: Path) -> None:
    pictures = [woman, decode_grey(grace_hopper.read_bytes())]
    expected = [detector.detect(picture) for picture in pictures]
    assert in_threads(detector.detect, pictures) == [expected] * THREADS


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
@pytest.mark.parametrize("shift", [(-0.15, 0.1), (0.0, 0.0), (0.15, -0.1)])
def test_a_known_face_is_found_near_where_it_was(
    scale: float, shift: tuple[float, float], detector: FaceDetector, woman: Grey
) -> None:
    face = FACES["astronaut"]
    side = face.side * scale
    x, y = face.centre[0] + shift[0] * face.side, face.centre[1] + shift[1] * face.side
    (near,) = detector.search(woman, [Box(x - side / 2, y - side / 2, side, side)])
    assert near is not None
    assert intersection_over_union(near.box, face) > 0.7


def test_search_answers_box_by_box(detector: FaceDetector, woman: Grey) -> None:
    face = FACES["astronaut"]
    elsewhere, gone = Box(20, 300, 95, 95), Box(600, 0, 95, 95)
    answers = detector.search(woman, [elsewhere, face, gone, face])
    assert [answer is None for answer in answers] == [True, False, True, False]
    assert answers[1] == answers[3]
    assert detector.search(woman, []) == []


def test_a_face_of_quite_another_size_is_another_face(detector: FaceDetector, woman: Grey) -> None:
    x, y = FACES["astronaut"].centre
    for side in (30, 260):
        assert detector.search(woman, [Box(x - side / 2, y - side / 2, side, side)]) == [None]


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 0, 0),
        Box(100, 100, 0, 95),
        Box(177, 66, -95, -95),
        Box(-500, -500, 95, 95),
        Box(512, 512, 95, 95),
        Box(177, 66, 3, 3),
        Box(-1e300, 0, 1e308, 1e308),
        Box(float("inf"), 0, 95, 95),
        Box(0, 0, float("inf"), float("inf")),
        Box(float("-inf"), 0, float("inf"), 95),
    ],
)
def test_boxes_without_a_place_in_the_picture(box: Box, detector: FaceDetector, woman: Grey) -> None:
    assert detector.search(woman, [box]) == [None]


SIDES = st.integers(1, 90)
PICTURES = st.tuples(SIDES, SIDES).flatmap(lambda shape: arrays.arrays(np.uint8, shape))
COORDINATES = st.floats(allow_nan=False)


@settings(deadline=None, max_examples=60)
@given(grey=PICTURES, min_face=st.floats(0, 1))
def test_any_picture(detector: FaceDetector, grey: Grey, min_face: float) -> None:
    for face in detector.detect(grey, min_face=min_face):
        assert intersection_over_union(face.box, Box(0, 0, grey.shape[1], grey.shape[0])) > 0


@settings(deadline=None, max_examples=200)
@given(grey=PICTURES, box=st.builds(Box, COORDINATES, COORDINATES, COORDINATES, COORDINATES))
def test_any_box(detector: FaceDetector, grey: Grey, box: Box) -> None:
    assert len(detector.search(grey, [box])) == 1


@settings(deadline=None, max_examples=100)
@given(box=st.builds(Box, *[st.floats(-80, 580)] * 2, *[st.floats(0, 700)] * 2))
def test_boxes_over_the_edge(detector: FaceDetector, woman: Grey, box: Box) -> None:
    (near,) = detector.search(woman, [box])
    assert near is None or intersection_over_union(near.box, Box(0, 0, 512, 512)) > 0


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 5000), (5000, 1), (19, 40), (20, 20), (100, 8000), (3000, 3000)]
)
@pytest.mark.parametrize("min_face", [0.0, 1e-9, 1.0])
def test_flat_pictures_of_any_shape(shape: tuple[int, int], min_face: float, detector: FaceDetector) -> None:
    assert detector.detect(np.full(shape, 127, np.uint8), min_face=min_face) == []


def test_a_system_that_lacks_one_of_the_cascades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "share" / "opencv4" / "haarcascades"
    folder.mkdir(parents=True)
    cascade = find_cascade()
    monkeypatch.delattr(cv2, "data")
    monkeypatch.setenv("PREFIX", str(tmp_path))
    (folder / cascade.name).write_bytes(cascade.read_bytes())
    with pytest.raises(DetectorUnavailable, match=r"haarcascade_frontalface_alt2\.xml` is not in"):
        FaceDetector()
