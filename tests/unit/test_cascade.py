"""The plain scan with one real cascade in real photos, and where the cascades come from."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from fer_gateway.errors import DetectorUnavailable
from fer_gateway.vision.cascade import (
    FRONTAL_FACE,
    Cascade,
    HaarDetector,
    cascade_sha256,
    find_cascade,
    merge,
)
from fer_gateway.vision.decode import decode_grey
from fer_gateway.vision.geometry import Box, intersection_over_union

from .together import THREADS, in_threads

FACES = {"grace_hopper": Box(150, 100, 235, 235), "astronaut": Box(177, 66, 95, 95)}
"""By eye: between the ears, from above the brows to the chin."""


@pytest.fixture(scope="module")
def detector() -> HaarDetector:
    return HaarDetector()


@pytest.mark.parametrize("photo", FACES)
@pytest.mark.parametrize("factor", [0.5, 0.75, 1, 1.5, 2, 4])
def test_exactly_the_face(
    photo: str, factor: float, detector: HaarDetector, request: pytest.FixtureRequest
) -> None:
    grey = decode_grey(request.getfixturevalue(photo).read_bytes())
    grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    (face,) = detector.detect(grey)
    assert intersection_over_union(face, FACES[photo].scaled(factor)) > 0.7


def test_largest_first(detector: HaarDetector, grace_hopper: Path, astronaut: Path) -> None:
    small, large = (decode_grey(path.read_bytes())[:512] for path in (astronaut, grace_hopper))
    first, second = detector.detect(np.ascontiguousarray(np.hstack([small, large])))
    assert first.x > 512 > second.x
    assert first.area > second.area


@pytest.mark.parametrize("name", ["coffee", "chelsea", "camera", "brick", "grass", "rocket", "text", "clock"])
def test_no_face(name: str, detector: HaarDetector) -> None:
    picture = getattr(skimage.data, name)()
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert detector.detect(grey) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (10, 10), (24, 24), (2000, 2000)])
def test_flat_pictures_of_any_shape(shape: tuple[int, int], detector: HaarDetector) -> None:
    assert detector.detect(np.full(shape, 127, np.uint8)) == []


def test_threads_agree(detector: HaarDetector, astronaut: Path, grace_hopper: Path) -> None:
    pictures = [decode_grey(path.read_bytes()) for path in (astronaut, grace_hopper)]
    expected = [detector.detect(picture) for picture in pictures]
    assert in_threads(detector.detect, pictures) == [expected] * THREADS


def test_merge_keeps_the_box_with_more_hits() -> None:
    weak, strong, other = Box(0, 0, 30, 30), Box(2, 2, 20, 20), Box(100, 0, 40, 40)
    assert merge([weak, strong, other], [5, 9, 5]) == [other, strong]
    assert merge([weak, strong, other], [9, 5, 5]) == [other, weak]
    assert merge([], []) == []


def test_neighbours_that_hardly_touch_both_stay() -> None:
    boxes = [Box(0, 0, 30, 30), Box(20, 0, 30, 30)]
    assert merge(boxes, [5, 5]) == boxes


def test_clusters_count_every_window(astronaut: Path) -> None:
    """All that `groupRectangles` would drop for standing alone is there too, and nothing counts twice."""
    grey = decode_grey(astronaut.read_bytes())
    cascade = Cascade(FRONTAL_FACE)
    windows = cascade.classifier.detectMultiScale(grey, 1.2, 0, minSize=(40, 40))
    clusters = cascade.clusters(grey, 1.2, 40)
    assert sum(cluster.hits for cluster in clusters) == len(windows)
    assert min(cluster.hits for cluster in clusters) == 1
    strongest = max(clusters, key=lambda cluster: cluster.hits)
    assert intersection_over_union(strongest.box, FACES["astronaut"]) > 0.7


def test_the_largest_window_can_be_bounded(grace_hopper: Path) -> None:
    grey = decode_grey(grace_hopper.read_bytes())
    boxes = [cluster.box for cluster in Cascade(FRONTAL_FACE).clusters(grey, 1.2, 40, 120)]
    assert boxes
    assert all(40 <= box.side <= 120 for box in boxes)


def test_the_cascade_is_that_of_opencv() -> None:
    path = find_cascade()
    assert path.name == "haarcascade_frontalface_default.xml"
    assert len(cascade_sha256(path)) == 64


def test_without_the_wheels_data_the_system_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Termux, where `$PREFIX` is set and `cv2` has no `data`."""
    folder = tmp_path / "share" / "opencv4" / "haarcascades"
    folder.mkdir(parents=True)
    cascade = find_cascade()
    monkeypatch.delattr(cv2, "data")
    monkeypatch.setenv("PREFIX", str(tmp_path))
    with pytest.raises(DetectorUnavailable, match="opencv4"):
        find_cascade()
    (folder / cascade.name).write_bytes(cascade.read_bytes())
    assert find_cascade() == folder / cascade.name
    assert HaarDetector().path == folder / cascade.name


def test_opencv_5_has_no_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(DetectorUnavailable, match=r"install `opencv-python-headless>=4\.10,<5`"):
        HaarDetector()


def test_a_file_that_is_no_cascade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "share" / "opencv4" / "haarcascades"
    folder.mkdir(parents=True)
    (folder / "broken.xml").write_text("<opencv_storage></opencv_storage>")
    monkeypatch.setenv("PREFIX", str(tmp_path))
    with pytest.raises(DetectorUnavailable, match="no Haar cascade"):
        HaarDetector("broken.xml")
