"""What a JPEG, PNG or WebP file says about itself, read from its bytes before any pixel is decoded."""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from fer_gateway.errors import DamagedImage, EmptyImage, UnsupportedImage

MAX_BYTES = 10 * 1024 * 1024
"""Largest file that is decoded, in bytes."""

MAX_PIXELS = 50_000_000
"""Largest picture that is decoded, in pixels."""

MAX_SIDE_PX = 65_535
"""Longest side that is decoded; no JPEG can have more."""

MAX_PARTS = 65_536
"""Segments or chunks that are walked through; a file made of more is an attack, not a picture."""

MAX_SCANS = 100
"""Scans of a JPEG that is decoded, each a pass over all pixels; a progressive photo has about ten."""

_ORIENTATION_TAG, _SHORT = 0x0112, 3
_EXIF, _START_OF_SCAN, _END_OF_IMAGE = 0xE1, 0xDA, 0xD9
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
_MARKER_AFTER_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""Compressed pixels hold 0xFF before 0x00 and restart markers only."""
_MARKER = re.compile(rb"\xff([^\xff])", re.DOTALL)  # the last 0xFF of several: the others are fill bytes


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Kind, size and state of an image file."""

    kind: Literal["jpeg", "png", "webp"]
    width: int
    """Pixels as stored, before `orientation` is applied."""
    height: int
    """Pixels as stored, before `orientation` is applied."""
    orientation: int = 1
    """EXIF orientation, 1..8; 1 is upright."""
    intact: bool = True
    """Nothing is cut off and the checksums (of a PNG) fit. Bytes behind the end do not count."""


def read_header(data: bytes) -> ImageHeader:
    """Read the header of an image file; no memory beyond the file itself is used.

    Raises:
        EmptyImage: not one byte.
        UnsupportedImage: not a JPEG, PNG or WebP file, or a JPEG of more than `MAX_SCANS` scans.
        DamagedImage: the header gives no size.
    """
    if not data:
        raise EmptyImage("The image has 0 bytes; send a JPEG, PNG or WebP file.")
    try:
        if data.startswith(b"\xff\xd8\xff"):
            header = _jpeg(data)
        elif data.startswith(b"\x89PNG\r\n\x1a\n"):
            header = _png(data)
        elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            header = _webp(data)
        else:
            raise UnsupportedImage("Not a JPEG, PNG or WebP file; convert the image to one of these.")
    except struct.error as exc:
        raise DamagedImage("The image ends inside its header; send the whole file.") from exc
    if not header.width or not header.height:
        raise DamagedImage(f"The image has `{header.width} x {header.height}` pixels; save it again.")
    return header


def _jpeg(data: bytes) -> ImageHeader:
    size, orientation = None, 1
    for marker, start, end in islice(_jpeg_segments(data), MAX_PARTS):
        if marker in _START_OF_FRAME:
            size = struct.unpack_from(">HH", data, start + 1)
        elif marker == _EXIF and data.startswith(b"Exif\0\0", start):
            orientation = _orientation(data[start + 6 : end])
        elif marker == _START_OF_SCAN and size:
            if _more_scans(data, end) >= MAX_SCANS:
                raise UnsupportedImage(f"The JPEG has more than `{MAX_SCANS}` scans; save the image again.")
            # Compressed pixels never hold these two bytes and a thumbnail's end lies before the scan: this is
            # the real end. Without it some versions of OpenCV fill the rest with grey instead of refusing.
            return ImageHeader("jpeg", size[1], size[0], orientation, data.rfind(b"\xff\xd9", start) >= 0)
    if size is None:
        raise DamagedImage("The JPEG has no frame header; send the whole file.")
    return ImageHeader("jpeg", size[1], size[0], orientation, intact=False)


def _more_scans(data: bytes, position: int) -> int:
    """The scans of a JPEG after the one whose header ends here; counts up to `MAX_SCANS`.

    libjpeg goes over all pixels once for each, however few bytes it has.
    """
    scans = parts = 0
    with suppress(struct.error):  # cut off within a segment
        for marker, _, _ in islice(_jpeg_segments(data, position, _MARKER_AFTER_SCAN), MAX_PARTS):
            parts, scans = parts + 1, scans + (marker == _START_OF_SCAN)
            if scans == MAX_SCANS:
                break
    return MAX_SCANS if parts == MAX_PARTS else scans  # made of too many parts to be a picture


def _jpeg_segments(
    data: bytes, position: int = 2, markers: re.Pattern[bytes] = _MARKER
) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content from a position on, found as libjpeg does."""
    while found := markers.search(data, position):
        marker = found[1][0]
        if marker == _END_OF_IMAGE:
            return
        start = position = found.end()
        if marker not in _WITHOUT_LENGTH:
            start += 2
            position += max(2, *struct.unpack_from(">H", data, position))
        yield marker, start, position


def _png(data: bytes) -> ImageHeader:
    if data[12:16] != b"IHDR":
        raise DamagedImage("The PNG does not begin with `IHDR`; save the image again.")
    width, height = struct.unpack_from(">II", data, 16)
    orientation, intact = 1, True
    for kind, start, end in islice(_png_chunks(data), MAX_PARTS):
        if kind == b"eXIf":
            orientation = _orientation(data[start:end])
        elif kind[:1].isupper():  # a critical chunk
            checksum = zlib.crc32(memoryview(data)[start - 4 : end])
            intact &= data[end : end + 4] == checksum.to_bytes(4, "big")
        if kind == b"IEND":
            return ImageHeader("png", width, height, orientation, intact)
    return ImageHeader("png", width, height, orientation, intact=False)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk's content."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        yield kind, start, start + length
        position = start + length + 4


def _webp(data: bytes) -> ImageHeader:
    (riff_bytes,) = struct.unpack_from("<I", data, 4)
    end_of_file = 8 + riff_bytes
    size, orientation = None, 1
    for kind, start, end in islice(_riff_chunks(data, end_of_file), MAX_PARTS):
        if size is None:
            size = _webp_size(data, kind, start)
        if kind == b"EXIF":
            orientation = _orientation(data[start:end].removeprefix(b"Exif\0\0"))
    if size is None:
        raise DamagedImage("The WebP file has no image; save the image again.")
    return ImageHeader("webp", *size, orientation, intact=end_of_file <= len(data))


def _webp_size(data: bytes, kind: bytes, start: int) -> tuple[int, int]:
    """Width and height from the first chunk: the canvas (`VP8X`, no frame may exceed it) or the frame."""
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", data, start + 4)
        return 1 + low_width + (high_width << 16), 1 + low_height + (high_height << 16)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, start + 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, start + 6)
        return width & 0x3FFF, height & 0x3FFF
    raise DamagedImage(f"The WebP file begins with `{kind.hex()}`, not with an image; save the image again.")


def _riff_chunks(data: bytes, end_of_file: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk's content; chunks begin at even positions."""
    position = 12
    while position + 8 <= min(len(data), end_of_file):
        kind, length = struct.unpack_from("<4sI", data, position)
        start = position + 8
        yield kind, start, start + length
        position = start + length + length % 2


def _orientation(exif: bytes) -> int:
    """The orientation in a TIFF block; 1 where there is none: a broken tag is no reason to lose a photo."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, entry)
            if (tag, kind) == (_ORIENTATION_TAG, _SHORT):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
