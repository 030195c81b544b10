"""The whole pipeline on real photos, with a real cascade and real ONNX graphs."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fer_gateway.analyzer import Analyzer
from fer_gateway.contract import EMOTIONS
from fer_gateway.errors import BodyTooLarge, TooManyPixels, UnsupportedImage
from fer_gateway.faces import Analysis, Face, analysis_to_dict
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_gateway.inference.proposals import SMALLEST_FACE, ProposalModel, borne_out
from fer_gateway.models import PACKAGED_LANDMARKS, PACKAGED_PROPOSALS
from fer_gateway.vision.align import cut_face
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.detect import FaceDetector
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.quality import Quality

STAGES = ("decode_ms", "detect_ms", "landmarks_ms", "crop_ms", "infer_ms", "judge_ms")


@pytest.fixture(scope="module")
def analyzer(tiny_model: Path) -> Analyzer:
    return Analyzer.open(tiny_model)


def png(grey: Any) -> bytes:
    return bytes(cv2.imencode(".png", grey)[1])


@pytest.mark.parametrize("photo", ["grace_hopper", "astronaut"])
def test_one_face(photo: str, analyzer: Analyzer, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(photo).read_bytes()
    analysis = analyzer.analyze(data)
    (face,) = analysis.faces
    assert face.label == EMOTIONS[int(np.argmax(face.probabilities))]
    assert face.confidence == max(face.probabilities)
    assert sum(face.probabilities) == pytest.approx(1, abs=1e-5)
    assert 0 <= face.box.x < face.box.x + face.box.width <= 1
    assert 0 <= face.box.y < face.box.y + face.box.height <= 1


def test_the_crop_is_that_of_cut_face(analyzer: Analyzer, tiny_model: Path, astronaut: Path) -> None:
    """Stage by stage with the public parts: nothing happens to a face in between.

    The tiny model cuts faces by the box, so that it gets the one that its framing was measured on.
    """
    model = EmotionModel.open(tiny_model)
    grey = decode_grey(astronaut.read_bytes())
    (detection,) = FaceDetector().detect(grey)
    box = detection.box
    (expected,) = model.predict(cut_face(grey, box, model.card.face)[None, ..., None])
    (face,) = analyzer.analyze(astronaut.read_bytes()).faces
    assert face.probabilities == tuple(expected.tolist())
    scaled = Box(face.box.x * 512, face.box.y * 512, face.box.width * 512, face.box.height * 512)
    np.testing.assert_allclose(
        [scaled.x, scaled.y, scaled.width, scaled.height], [box.x, box.y, box.width, box.height]
    )


def test_a_model_of_aligned_faces_gets_what_is_proposed(default_model: Path, astronaut: Path) -> None:
    grey = decode_grey(astronaut.read_bytes())
    proposals, landmarks = ProposalModel.open(PACKAGED_PROPOSALS), LandmarkModel.open(PACKAGED_LANDMARKS)
    ((box, _),) = borne_out(landmarks, grey, proposals.propose(grey, SMALLEST_FACE * 512))
    (face,) = Analyzer.open(default_model).analyze(astronaut.read_bytes()).faces
    scaled = [512 * side for side in (face.box.x, face.box.y, face.box.width, face.box.height)]
    np.testing.assert_allclose(scaled, [box.x, box.y, box.width, box.height])


def test_all_faces_largest_first(analyzer: Analyzer, grace_hopper: Path, astronaut: Path) -> None:
    small, large = (decode_grey(path.read_bytes())[:512] for path in (astronaut, grace_hopper))
    first, second = analyzer.analyze(png(np.hstack([small, large]))).faces
    assert first.box.x > 0.5 > second.box.x
    assert first.box.area > second.box.area
    assert first.probabilities != second.probabilities


def test_no_face(analyzer: Analyzer) -> None:
    analysis = analyzer.analyze(png(np.full((120, 160), 90, np.uint8)))
    assert analysis.faces == ()
    assert (analysis.width, analysis.height) == (160, 120)


def test_timing(analyzer: Analyzer, astronaut: Path) -> None:
    timing = analyzer.analyze(astronaut.read_bytes()).timing
    assert tuple(timing) == (*STAGES, "total_ms")
    assert all(timing[stage] > 0 for stage in STAGES)
    assert timing["total_ms"] == pytest.approx(sum(timing[stage] for stage in STAGES), abs=0.5)


def test_limits(tiny_model: Path, astronaut: Path) -> None:
    data = astronaut.read_bytes()
    with pytest.raises(BodyTooLarge):
        Analyzer.open(tiny_model, max_bytes=len(data) - 1).analyze(data)
    with pytest.raises(TooManyPixels):
        Analyzer.open(tiny_model, max_pixels=512 * 512 - 1).analyze(data)
    with pytest.raises(UnsupportedImage):
        Analyzer.open(tiny_model).analyze(b"text")


def test_threads_share_one_analyzer(analyzer: Analyzer, grace_hopper: Path, astronaut: Path) -> None:
    pictures = [path.read_bytes() for path in (grace_hopper, astronaut)] * 2
    expected = [analyzer.analyze(data).faces for data in pictures]
    start = threading.Barrier(4)

    def analyze(data: bytes) -> tuple[Face, ...]:
        start.wait()
        return analyzer.analyze(data).faces

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(analyze, pictures)) == expected


def test_json(analyzer: Analyzer) -> None:
    probabilities = (0.9, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    quality = Quality(
        size_px=160.04, sharpness=0.5, brightness=0.4, contrast=0.2, aligned=True, roll_degrees=3.0
    )
    points = ((0.1, 0.2),) * 5
    face = Face(
        Box(0.25, 0.125, 1 / 3, 0.5), "neutral", 0.9, probabilities, quality, True, ("blurred",), points
    )
    analysis = Analysis((face,), {"decode_ms": 1.23456, "total_ms": 2.0}, 640, 480)
    as_dict = analysis_to_dict(analysis, analyzer.card)
    assert as_dict == {
        "faces": [
            {
                "box": {"x": 0.25, "y": 0.125, "width": 0.333333, "height": 0.5},
                "label": "neutral",
                "confidence": 0.9,
                "probabilities": dict(zip(EMOTIONS, probabilities, strict=True)),
                "uncertain": True,
                "reasons": ["blurred"],
                "quality": quality.to_dict(),
                "landmarks": [[0.1, 0.2]] * 5,
            }
        ],
        "timing": {"decode_ms": 1.235, "total_ms": 2.0},
        "model": {"name": "tiny", "version": "0.0.1"},
        "image": {"width": 640, "height": 480},
    }
    assert json.loads(json.dumps(as_dict)) == as_dict


def test_another_cascade_than_that_of_training_is_a_warning(analyzer: Analyzer, build_model: Any) -> None:
    assert analyzer.cascade_warning() is None
    face = analyzer.card.face.model_dump() | {"cascade_sha256": "0" * 64}
    warning = Analyzer.open(build_model(card={"face": face})).cascade_warning()
    assert warning is not None
    assert "`haarcascade_frontalface_default.xml`" in warning
    assert "; install" in warning


def test_the_astronaut_smiles(default_model: Path, astronaut: Path) -> None:
    (face,) = Analyzer.open(default_model).analyze(astronaut.read_bytes()).faces
    assert face.label == "happiness"
    assert face.confidence > 0.8


def test_grace_hopper_has_one_face(default_model: Path, grace_hopper: Path) -> None:
    (face,) = Analyzer.open(default_model).analyze(grace_hopper.read_bytes()).faces
    assert face.confidence > 1 / len(EMOTIONS)
