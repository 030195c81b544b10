"""The last look: faces that no cascade sees, nothing where there is none, and pictures of any shape."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_gateway.analyzer import Analyzer
from fer_gateway.inference.glimpse import search
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_LANDMARKS, PACKAGED_MODEL
from fer_gateway.options import Options
from fer_gateway.vision.align import Grey
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.detect import FaceDetector

TURNED_DEGREES = 50.0


@pytest.fixture(scope="module")
def model() -> LandmarkModel:
    return LandmarkModel.open(PACKAGED_LANDMARKS)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    """Without proposals, which find these faces too."""
    return Analyzer(EmotionModel.open(PACKAGED_MODEL), FaceDetector(), LandmarkModel.open(PACKAGED_LANDMARKS))


@pytest.fixture(scope="module")
def turned(astronaut: Path) -> tuple[Grey, np.ndarray]:
    """The photo turned by more than the cascades follow; and the matrix that turned it."""
    grey = decode_grey(astronaut.read_bytes())
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((224, 113), -TURNED_DEGREES, 1.0)
    whole = cv2.warpAffine(grey, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(whole, np.uint8), np.asarray(matrix)


def encoded(grey: Grey) -> bytes:
    return cv2.imencode(".png", grey)[1].tobytes()


def test_a_face_on_its_side_is_found_where_it_is(
    model: LandmarkModel, astronaut: Path, turned: tuple[Grey, np.ndarray]
) -> None:
    upright = search(model, decode_grey(astronaut.read_bytes()))
    assert upright is not None
    grey, matrix = turned
    found = search(model, grey)
    assert found is not None
    assert found.plausible
    expected = upright.points @ matrix[:, :2].T + matrix[:, 2]
    eyes = np.hypot(*(expected[1] - expected[0]))
    assert np.hypot(*(found.points - expected).T).mean() < 0.15 * eyes


def test_the_pipeline_looks_so_only_where_the_cascades_find_nothing(
    analyzer: Analyzer, astronaut: Path, turned: tuple[Grey, np.ndarray]
) -> None:
    grey, _ = turned
    assert analyzer.detector.detect(grey) == []
    (face,) = analyzer.analyze(encoded(grey), Options(landmarks=True)).faces
    assert face.landmarks is not None
    assert face.quality.roll_degrees == pytest.approx(TURNED_DEGREES, abs=12)
    upright = decode_grey(astronaut.read_bytes())
    (detection,) = analyzer.detector.detect(upright)
    (face,) = analyzer.analyze(encoded(upright)).faces
    assert face.box.width * upright.shape[1] == pytest.approx(detection.box.width, abs=0.01)


def test_a_face_smaller_than_asked_for_is_not_shown(
    analyzer: Analyzer, turned: tuple[Grey, np.ndarray]
) -> None:
    assert analyzer.analyze(encoded(turned[0]), Options(min_face=0.5)).faces == ()


@pytest.mark.parametrize("name", ["brick.png", "chelsea.png", "coffee.png", "gravel.png", "rocket.jpg"])
def test_pictures_without_a_person_hold_no_face(model: LandmarkModel, name: str) -> None:
    skimage = pytest.importorskip("skimage")
    grey = cv2.imread(str(Path(skimage.__file__).parent / "data" / name), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    assert search(model, np.asarray(grey, np.uint8)) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 255))
def test_pictures_of_any_shape_are_looked_through(width: int, height: int, grey: int) -> None:
    model = LandmarkModel.open(PACKAGED_LANDMARKS)
    assert search(model, np.full((height, width), grey, np.uint8)) is None


def test_a_long_strip_takes_no_longer_than_a_picture(model: LandmarkModel) -> None:
    """The smallest square grows with the longer side."""
    seen = []

    class Counting(LandmarkModel):
        def run(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            seen.append(len(crops))
            return super().run(crops)

    counting = Counting.open(PACKAGED_LANDMARKS)
    for shape in ((480, 640), (100, 1500), (20, 20_000)):
        seen.clear()
        search(counting, np.full(shape, 128, np.uint8))
        assert sum(seen) < 600
