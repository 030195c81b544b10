"""Frames of a video file or camera, and the faces in them from one to the next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.analyzer import Analyzer
from fer_gateway.errors import UnreadableVideo
from fer_gateway.faces import Analysis
from fer_gateway.live import LiveAnalyzer
from fer_gateway.options import DEFAULT_STREAM_OPTIONS, StreamOptions
from fer_gateway.vision.pixels import grey_of

GUESSED_FPS = 30.0
"""For files that do not say how fast they are."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a video or camera, and what it shows."""

    index: int
    """The frame's number in the video, from 0; of a camera, its number among those that were read."""
    time_s: float
    """Seconds from the start of the video, or from the first look into the camera."""
    pixels: Pixels
    """H x W x 3, uint8, blue first (`bgr`), upright."""
    analysis: Analysis
    """Its faces, largest first; each keeps its `id` from frame to frame."""


def analyze_video(
    path: Path,
    analyzer: Analyzer,
    *,
    fps: float | None = None,
    options: StreamOptions = DEFAULT_STREAM_OPTIONS,
) -> Iterator[Frame]:
    """Follow the faces of a video file, frame by frame as they are asked for.

    Args:
        path: any file that OpenCV here can play.
        analyzer: an open one.
        fps: at most so many frames for each second of the video; without it, every one.
        options: how to analyse.

    Raises:
        UnreadableVideo: no such file, or none with pictures.
    """
    if not path.is_file():
        raise UnreadableVideo(f"There is no file `{path}`; check the path.")
    with capture(
        str(path), f"`{path}` has no video that can be played; convert it to H.264 in MP4."
    ) as video:
        rate = video.get(cv2.CAP_PROP_FPS)
        step_s = 1 / (rate if 0 < rate < 1000 else GUESSED_FPS)
        live, index, time_s, due_s = LiveAnalyzer(analyzer, options), 0, -step_s, 0.0
        while video.grab():
            told_s = video.get(cv2.CAP_PROP_POS_MSEC) / 1e3
            time_s = told_s if told_s > time_s else time_s + step_s  # not every file tells
            if fps is None or time_s >= due_s - step_s / 2:
                due_s += 1 / fps if fps is not None else 0.0
                done, pixels = video.retrieve()
                if done:
                    yield analyzed(live, index, time_s, pixels)  # type: ignore[arg-type]
            index += 1
        if not index:
            raise UnreadableVideo(f"`{path}` has no picture in it; it may be cut off.")


def analyze_camera(
    camera: int,
    analyzer: Analyzer,
    *,
    width: int = 640,
    height: int = 480,
    options: StreamOptions = DEFAULT_STREAM_OPTIONS,
) -> Iterator[Frame]:
    """Follow the faces before a camera of this machine until the iteration is stopped.

    Args:
        camera: its number, from 0.
        analyzer: an open one.
        width: pixels to ask the camera for; it may give others.
        height: pixels to ask the camera for.
        options: how to analyse.

    Raises:
        UnreadableVideo: no such camera, in use by another program, or unplugged.
    """
    gone = f"Camera `{camera}` gives no picture; check that it is plugged in and no other program uses it."
    with capture(camera, gone) as video:
        video.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        video.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest picture, not one that waited
        live, started_s, index = LiveAnalyzer(analyzer, options), monotonic(), 0
        while True:
            done, pixels = video.read()
            if not done:
                raise UnreadableVideo(gone)
            yield analyzed(live, index, monotonic() - started_s, pixels)  # type: ignore[arg-type]
            index += 1


def analyzed(live: LiveAnalyzer, index: int, time_s: float, pixels: Pixels) -> Frame:
    """The frame with what it shows; `pixels` are H x W x 3, blue first."""
    analysis = live.analyze_grey(grey_of(pixels, "bgr"), time_s * 1e3)
    return Frame(index, time_s, pixels, analysis)


@contextmanager
def capture(source: str | int, refusal: str) -> Iterator[cv2.VideoCapture]:
    """An open file or camera, closed at the end of the block.

    Raises:
        UnreadableVideo: with `refusal`, where it cannot be opened.
    """
    video = cv2.VideoCapture(source)
    try:
        if not video.isOpened():
            raise UnreadableVideo(refusal)
        yield video
    finally:
        video.release()
