"""The first look: what the proposal network finds, what landmarks bear out, and pictures of any shape."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_gateway.analyzer import Analyzer
from fer_gateway.errors import InvalidModel, ModelNotFound, SelfTestFailed
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.proposals import SMALLEST_FACE, ProposalModel, borne_out
from fer_gateway.live import LiveAnalyzer
from fer_gateway.models import PACKAGED_LANDMARKS, PACKAGED_MODEL, PACKAGED_PROPOSALS
from fer_gateway.options import Options
from fer_gateway.vision.align import Grey
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.detect import Detection, FaceDetector
from fer_gateway.vision.evened import evened
from fer_gateway.vision.geometry import Box, intersection_over_union

from .clips import STEP_MS, encode


class Unasked(FaceDetector):
    """A detector that must not be needed to scan whole pictures."""

    def detect(self, grey: Grey, *, min_face: float = 0.0, thorough: bool = True) -> list[Detection]:
        raise AssertionError("the first look was enough")


@pytest.fixture(scope="module")
def proposals() -> ProposalModel:
    return ProposalModel.open(PACKAGED_PROPOSALS)


@pytest.fixture(scope="module")
def landmarks() -> LandmarkModel:
    return LandmarkModel.open(PACKAGED_LANDMARKS)


def find(proposals: ProposalModel, landmarks: LandmarkModel, grey: Grey) -> list[Box]:
    proposed = proposals.propose(grey, SMALLEST_FACE * min(grey.shape))
    return [box for box, _ in borne_out(landmarks, grey, proposed)]


@pytest.mark.parametrize("photo", ["astronaut", "grace_hopper"])
def test_the_box_is_that_of_the_cascades(
    proposals: ProposalModel, landmarks: LandmarkModel, photo: str, request: pytest.FixtureRequest
) -> None:
    """In light and dark, from under 40 px to 500 px."""
    grey = decode_grey(request.getfixturevalue(photo).read_bytes())
    (detection,) = FaceDetector().detect(grey)
    for light, factor in ((1.0, 0.35), (1.0, 1.0), (1.0, 2.0), (0.4, 1.0), (0.4, 0.35)):
        size = round(grey.shape[1] * factor), round(grey.shape[0] * factor)
        changed = cv2.resize((grey * light).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
        (box,) = find(proposals, landmarks, np.asarray(changed, np.uint8))
        assert intersection_over_union(box, detection.box.scaled(factor)) > 0.6, (light, factor)


@pytest.mark.parametrize("roll_degrees", [-25, 25])
def test_tilted_faces_are_found(
    proposals: ProposalModel, landmarks: LandmarkModel, astronaut: Path, roll_degrees: int
) -> None:
    grey = decode_grey(astronaut.read_bytes())
    turn = cv2.getRotationMatrix2D((224, 113), roll_degrees, 1.0)
    turned = cv2.warpAffine(grey, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    (box,) = find(proposals, landmarks, np.asarray(turned, np.uint8))
    assert np.hypot(box.centre[0] - 224, box.centre[1] - 113) < 30


@pytest.mark.parametrize(
    "name", ["brick.png", "chelsea.png", "coffee.png", "gravel.png", "horse.png", "page.png", "rocket.jpg"]
)
def test_pictures_without_a_person_hold_no_face(
    proposals: ProposalModel, landmarks: LandmarkModel, name: str
) -> None:
    skimage = pytest.importorskip("skimage")
    grey = cv2.imread(str(Path(skimage.__file__).parent / "data" / name), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    assert find(proposals, landmarks, np.asarray(grey, np.uint8)) == []


def test_a_crowd_is_found(proposals: ProposalModel, landmarks: LandmarkModel, astronaut: Path) -> None:
    face = decode_grey(astronaut.read_bytes())[20:190, 140:310]
    assert len(find(proposals, landmarks, np.ascontiguousarray(np.tile(face, (4, 5))))) == 20


def test_cascades_scan_only_where_it_finds_nothing(
    proposals: ProposalModel, landmarks: LandmarkModel, astronaut: Path, tiny_model: Path
) -> None:
    model = Analyzer.open(tiny_model).model
    analyzer = Analyzer(model, Unasked(), landmarks, proposals)
    data = encode(decode_grey(astronaut.read_bytes()))
    assert len(analyzer.analyze(data).faces) == 1
    assert analyzer.analyze(data, Options(min_face=0.1)).faces
    with pytest.raises(AssertionError, match="enough"):
        analyzer.analyze(data, Options(min_face=0.6))
    live = LiveAnalyzer(analyzer)
    faces = [live.analyze(data, number * STEP_MS).faces for number in range(40)]
    assert {tuple(face.id for face in each) for each in faces} == {(0,)}
    with pytest.raises(AssertionError, match="enough"):  # an empty picture is looked at thoroughly
        LiveAnalyzer(analyzer).analyze(encode(np.full((240, 320), 90, np.uint8)), 0.0)


def test_light_does_not_count() -> None:
    random = np.random.default_rng(0)
    grey = cv2.GaussianBlur(random.integers(0, 256, (90, 120)).astype(np.float32), (0, 0), 2)
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    bright, dark = ((grey * span + 20).astype(np.uint8) for span in (220, 110))
    difference = np.abs(evened(bright) - evened(dark))
    assert difference.mean() < 0.15
    assert np.abs(evened(np.full((40, 40), 77, np.uint8))).max() == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**16), st.floats(0.01, 2000))
def test_any_picture_will_do(width: int, height: int, seed: int, least_px: float) -> None:
    model = ProposalModel.open(PACKAGED_PROPOSALS)
    grey = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    for box in model.propose(grey, least_px):
        assert box.width == box.height > 0


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (Path("/nowhere.onnx"), ModelNotFound),
        (PACKAGED_MODEL, InvalidModel),
        (PACKAGED_LANDMARKS, InvalidModel),
    ],
)
def test_other_files_are_refused(path: Path, error: type[Exception]) -> None:
    with pytest.raises(error):
        ProposalModel.open(path)


def test_answers_that_differ_from_those_at_export_are_refused(proposals: ProposalModel) -> None:
    card = proposals.card.model_copy(update={"self_test": (0.0, 0.0)})
    with pytest.raises(SelfTestFailed, match="differently"):
        ProposalModel(proposals._session, card).self_test()
