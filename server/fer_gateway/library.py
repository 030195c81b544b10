"""The gateway's eyes for Python programs: pictures, videos and cameras without any server."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fer_gateway.analyzer import Analyzer
from fer_gateway.errors import UnreadableFile
from fer_gateway.faces import Analysis
from fer_gateway.options import DEFAULT_OPTIONS, Options
from fer_gateway.vision.header import MAX_BYTES
from fer_gateway.vision.pixels import Channels, grey_of


def analyze_image(
    image: Path | bytes | NDArray[Any],
    analyzer: Analyzer,
    *,
    channels: Channels | None = None,
    options: Options = DEFAULT_OPTIONS,
) -> Analysis:
    """Find and read every face in a picture.

    Args:
        image: a JPEG, PNG or WebP file, by its path or its bytes; or an array H x W (grey) or H x W x 3,
            uint8, upright.
        analyzer: an open one, `Analyzer.open()`; it serves any number of pictures and threads.
        channels: the order in an array of three channels: `bgr` from OpenCV, `rgb` from Pillow and others.
        options: how to analyse.

    Raises:
        UnreadableFile: a path that cannot be read.
        EmptyImage, BodyTooLarge, UnsupportedImage, TooManyPixels, DamagedImage: a file that is no picture.
        InvalidArray: an array that is none, or a colour one without `channels`.
    """
    if isinstance(image, Path):
        return analyzer.analyze(content_of(image), options)
    if isinstance(image, bytes):
        return analyzer.analyze(image, options)
    return analyzer.analyze_grey(grey_of(image, channels), options)


def content_of(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file; one more than `max_bytes` where it is larger, enough to refuse it.

    Raises:
        UnreadableFile: it is not there, or may not be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as exc:
        raise UnreadableFile(f"The file cannot be read ({exc.strerror}); check the path.") from exc
