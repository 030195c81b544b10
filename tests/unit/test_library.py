"""The importable API: arrays, files, videos and cameras, the same answers as the gateway's."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import fer_gateway
from fer_gateway import Analyzer, Options, StreamOptions, analyze_camera, analyze_image, analyze_video
from fer_gateway.errors import InvalidArray, TooManyPixels, UnreadableFile, UnreadableVideo, UnsupportedImage
from fer_gateway.vision.header import MAX_SIDE_PX

CLIP_FPS = 10
CLIP_FRAMES = 20


@pytest.fixture(scope="module")
def analyzer(tiny_model: Path) -> Analyzer:
    return Analyzer.open(tiny_model)


@pytest.fixture(scope="module")
def photo(astronaut: Path) -> Any:
    """512 x 512 x 3, blue first."""
    return cv2.imread(str(astronaut))


@pytest.fixture(scope="module")
def clip(photo: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the astronaut moving to the right."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), CLIP_FPS, (512, 512))
    assert writer.isOpened()
    for index in range(CLIP_FRAMES):
        writer.write(np.roll(photo, 2 * index, axis=1))
    writer.release()
    return path


def test_importing_the_package_loads_nothing() -> None:
    heavy = ("cv2", "numpy", "onnxruntime", "fastapi", "pydantic")
    code = f"import sys, fer_gateway; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_every_public_name_exists() -> None:
    assert set(dir(fer_gateway)) == set(fer_gateway.__all__)
    assert all(getattr(fer_gateway, name) is not None for name in fer_gateway.__all__)
    with pytest.raises(AttributeError, match="`fer_gateway` has no `analyse`"):
        fer_gateway.analyse  # noqa: B018


def test_all_forms_of_a_picture_have_the_same_faces(analyzer: Analyzer, astronaut: Path, photo: Any) -> None:
    expected = analyze_image(astronaut, analyzer)
    assert len(expected.faces) == 1
    assert analyze_image(astronaut.read_bytes(), analyzer).faces == expected.faces
    grey = cv2.imread(str(astronaut), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    assert analyze_image(grey, analyzer).faces == expected.faces
    for pixels, channels in ((photo, "bgr"), (photo[..., ::-1], "rgb")):
        (face,) = analyze_image(pixels, analyzer, channels=channels).faces  # type: ignore[arg-type]
        assert face.label == expected.faces[0].label
        assert np.allclose(face.probabilities, expected.faces[0].probabilities, atol=0.02)


def test_the_order_of_channels_matters() -> None:
    from fer_gateway.vision.pixels import grey_of

    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 255
    assert grey_of(blue, "bgr")[0, 0] == 29
    assert grey_of(blue, "rgb")[0, 0] == 76


def test_options(analyzer: Analyzer, photo: Any) -> None:
    (face,) = analyze_image(photo, analyzer, channels="bgr", options=Options(landmarks=True)).faces
    assert face.landmarks is not None
    assert analyze_image(photo, analyzer, channels="bgr", options=Options(min_face=0.9)).faces == ()


@pytest.mark.parametrize(
    ("pixels", "channels", "said"),
    [
        (np.zeros((8, 8, 3), np.uint8), None, 'channels="bgr"'),
        (np.zeros((8, 8, 3), np.uint8), "BGR", 'channels="bgr"'),
        (np.zeros((8, 8, 4), np.uint8), "bgr", "`8 x 8 x 4`"),
        (np.zeros((8, 8), np.float32), None, "`float32`"),
        (np.zeros((0, 8), np.uint8), None, "`0 x 8`"),
        (np.zeros(8, np.uint8), None, "`8`"),
        ([[1, 2]], None, "`list`"),
    ],
)
def test_arrays_that_are_no_picture(analyzer: Analyzer, pixels: Any, channels: Any, said: str) -> None:
    with pytest.raises(InvalidArray) as error:
        analyze_image(pixels, analyzer, channels=channels)
    assert said in str(error.value)


def test_pictures_that_cannot_be_read(analyzer: Analyzer, tmp_path: Path) -> None:
    with pytest.raises(TooManyPixels):
        analyze_image(np.zeros((1, MAX_SIDE_PX + 1), np.uint8), analyzer)
    with pytest.raises(UnreadableFile, match="check the path"):
        analyze_image(tmp_path / "missing.jpg", analyzer)
    with pytest.raises(UnsupportedImage):
        analyze_image(b"text", analyzer)


def test_a_video_frame_by_frame(analyzer: Analyzer, clip: Path) -> None:
    frames = list(analyze_video(clip, analyzer))
    assert [frame.index for frame in frames] == list(range(CLIP_FRAMES))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [i / CLIP_FPS for i in range(CLIP_FRAMES)], abs=0.02
    )
    assert frames[0].pixels.shape == (512, 512, 3)
    seen = [frame for frame in frames if frame.analysis.faces]
    assert len(seen) > CLIP_FRAMES / 2
    assert {face.id for frame in seen for face in frame.analysis.faces} == {seen[0].analysis.faces[0].id}
    boxes = [frame.analysis.faces[0].box.x for frame in seen]
    assert boxes[-1] > boxes[0]


@pytest.mark.parametrize(("fps", "times"), [(5.0, 10), (2.0, 4), (100.0, 20)])
def test_a_video_sampled(analyzer: Analyzer, clip: Path, fps: float, times: int) -> None:
    frames = list(analyze_video(clip, analyzer, fps=fps, options=StreamOptions(landmarks=False)))
    assert len(frames) == times
    steps = np.diff([frame.time_s for frame in frames])
    assert steps == pytest.approx(max(1 / fps, 1 / CLIP_FPS), abs=0.06)


def test_what_is_no_video(analyzer: Analyzer, tmp_path: Path) -> None:
    text = tmp_path / "clip.mp4"
    text.write_text("no video")
    for path, said in ((text, "has no video"), (tmp_path / "missing.mp4", "no file")):
        with pytest.raises(UnreadableVideo, match=said):
            next(analyze_video(path, analyzer))


def test_a_camera_that_is_not_there(analyzer: Analyzer) -> None:
    with pytest.raises(UnreadableVideo, match="Camera `63` gives no picture"):
        next(analyze_camera(63, analyzer))
