"""Copies of pictures and videos with the faces drawn in."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.commands.inputs import Source
from fer_gateway.errors import CannotWrite
from fer_gateway.faces import Analysis, Face
from fer_gateway.vision.decode import upright
from fer_gateway.vision.header import read_header

Pixels = NDArray[np.uint8]

SURE = (80, 200, 80)
UNSURE = (60, 170, 250)
"""Colours of boxes, blue first."""
JPEG_QUALITY = 92
VIDEO_CODEC = "mp4v"
GUESSED_FPS = 25.0
"""Of copies of all frames."""


class Copies:
    """Where copies go: into a folder, laid out as the sources are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[Path, int] = {}

    def place_for(self, source: Source) -> Path:
        """The file for the copy of one more source; sources of one name get a number each."""
        wanted = source.place.with_suffix(".mp4" if source.is_video else _suffix_for(source))
        count = self._taken[wanted] = self._taken.get(wanted, 0) + 1
        return self._folder / (wanted if count == 1 else wanted.with_stem(f"{wanted.stem}-{count}"))


def write_copy(path: Path, source: Source, data: bytes, analysis: Analysis) -> None:
    """Write a copy of a picture, from its file's bytes, with its faces.

    Raises:
        CannotWrite: the disk is full, or the copy would replace the picture itself.
    """
    _make_room(path, source)
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    pixels = draw(upright(stored, read_header(data).orientation), analysis)  # type: ignore[arg-type]
    _, encoded = cv2.imencode(path.suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as exc:
        raise _refused(path, exc) from exc


def _suffix_for(source: Source) -> str:
    suffix = source.place.suffix
    return suffix if suffix.lower() in (".png", ".webp") else ".jpg"


def _make_room(path: Path, source: Source) -> None:
    if not source.is_stdin and path.exists() and path.samefile(source.name):
        raise CannotWrite(f"The copy of `{source.name}` would replace it; name another folder.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise _refused(path, exc) from exc


class Film:
    """A copy of a video, written frame by frame."""

    def __init__(self, path: Path, source: Source, fps: float | None) -> None:
        """Prepare; `fps` is how fast it is to play.

        Raises:
            CannotWrite: it would replace the video, or its folder cannot be made.
        """
        _make_room(path, source)
        self._path = path
        self._fps = fps or GUESSED_FPS
        self._writer: cv2.VideoWriter | None = None

    def add(self, pixels: Pixels, analysis: Analysis) -> None:
        """Append a frame (H x W x 3, blue first) with its faces.

        Raises:
            CannotWrite: the file cannot be made.
        """
        height, width = pixels.shape[:2]
        if self._writer is None:
            code = cv2.VideoWriter.fourcc(*VIDEO_CODEC)
            self._writer = cv2.VideoWriter(str(self._path), code, self._fps, (width, height))
            if not self._writer.isOpened():
                raise CannotWrite(f"`{self._path}` cannot be written. Make room, or name another folder.")
        self._writer.write(draw(pixels.copy(), analysis))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()


def draw(pixels: Pixels, analysis: Analysis) -> Pixels:
    """Draw a box and a label around each face into `pixels`, H x W x 3, uint8, blue first; returns them."""
    thickness = max(1, round(min(pixels.shape[:2]) / 250))
    for face in analysis.faces:
        _draw_face(pixels, face, thickness)
    return pixels


def _draw_face(pixels: Pixels, face: Face, thickness: int) -> None:
    height, width = pixels.shape[:2]
    left, top = round(face.box.x * width), round(face.box.y * height)
    right, bottom = (
        round((face.box.x + face.box.width) * width),
        round((face.box.y + face.box.height) * height),
    )
    colour = UNSURE if face.uncertain else SURE
    cv2.rectangle(pixels, (left, top), (right, bottom), colour, thickness)
    text = f"{face.label}{'?' if face.uncertain else ''} {face.confidence:.0%}"
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45 * thickness
    (text_width, text_height), descent = cv2.getTextSize(text, font, scale, thickness)
    base = max(top - descent, text_height + descent)
    cv2.rectangle(
        pixels, (left, base - text_height - descent), (left + text_width, base + descent), colour, -1
    )
    cv2.putText(pixels, text, (left, base), font, scale, (0, 0, 0), thickness, cv2.LINE_AA)


def _refused(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"`{path}` cannot be written: {error.strerror}. Make room, or name another folder.")
