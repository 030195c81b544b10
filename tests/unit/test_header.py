"""Headers of image files, against those that Pillow writes and those that an attacker would."""

import io
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_gateway.errors import DamagedImage, EmptyImage, ImageError, UnsupportedImage
from fer_gateway.vision.header import ImageHeader, read_header

FORMATS = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
]
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\x00\x00\x00WEBP")


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


@pytest.mark.parametrize(("file_format", "options"), FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (37, 21), (300, 5)])
def test_size_is_that_of_pillow(file_format: str, options: dict[str, object], size: tuple[int, int]) -> None:
    data = encode(Image.new("RGB", size), file_format, **options)
    assert read_header(data) == ImageHeader(file_format.lower(), *size)  # type: ignore[arg-type]


@pytest.mark.parametrize(("file_format", "options"), FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(file_format: str, options: dict[str, object], orientation: int) -> None:
    data = encode(Image.new("RGB", (20, 10)), file_format, exif=exif(orientation), **options)
    header = read_header(data)
    assert (header.width, header.height, header.orientation) == (20, 10, orientation)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_orientation_that_does_not_exist_is_upright(value: int) -> None:
    data = encode(Image.new("RGB", (20, 10)), "JPEG", exif=exif(value))
    assert read_header(data).orientation == 1


@pytest.mark.parametrize(
    "tiff", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"junk" * 9]
)
def test_broken_exif_is_upright(tiff: bytes) -> None:
    data = encode(Image.new("RGB", (20, 10)), "JPEG", exif=b"Exif\0\0" + tiff)
    assert read_header(data).orientation == 1


@pytest.mark.parametrize("mode", ["animated", "alpha"])
def test_extended_webp_has_the_size_of_its_canvas(mode: str) -> None:
    if mode == "animated":
        frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "lime")]
        data = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    else:
        data = encode(Image.new("RGBA", (60, 40), (1, 2, 3, 4)), "WEBP")
    assert b"VP8X" in data
    assert read_header(data) == ImageHeader("webp", 60, 40)


@pytest.mark.parametrize(("file_format", "options"), FORMATS)
def test_a_cut_file_is_not_intact_and_one_with_a_tail_is(
    file_format: str, options: dict[str, object]
) -> None:
    data = encode(Image.effect_noise((64, 64), 80).convert("RGB"), file_format, **options)
    for kept in {len(data) - 1, len(data) - 2, len(data) * 3 // 4, len(data) // 2}:
        assert not read_header(data[:kept]).intact, kept
    assert read_header(data + b"tail" * 100).intact


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_photo() -> None:
    thumbnail = encode(Image.new("RGB", (8, 8)), "JPEG")
    photo = encode(Image.new("RGB", (64, 48)), "JPEG")
    application_segment = b"\xff\xe2" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = photo[:2] + application_segment + photo[2:]
    assert read_header(data) == ImageHeader("jpeg", 64, 48)
    assert not read_header(data[:-2]).intact


def test_a_changed_byte_breaks_a_png_checksum() -> None:
    data = bytearray(encode(Image.effect_noise((64, 64), 80), "PNG"))
    data[len(data) // 2] ^= 1
    assert not read_header(bytes(data)).intact


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyImage),
        (b"x", UnsupportedImage),
        (b"hello, world", UnsupportedImage),
        (b"GIF89a" + bytes(30), UnsupportedImage),
        (b"BM" + bytes(60), UnsupportedImage),
        (b"\0\0\0\x1cftypheic" + bytes(30), UnsupportedImage),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), UnsupportedImage),
        (b"\xff\xd8\xff", DamagedImage),
        (b"\xff\xd8\xff\xe0", DamagedImage),
        (b"\xff\xd8\xff\xd9", DamagedImage),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\x00", DamagedImage),
        (b"\x89PNG\r\n\x1a\n", DamagedImage),
        (png_header(1, 1)[:20], DamagedImage),
        (png_header(0, 9), DamagedImage),
        (b"RIFF\x04\0\0\0WEBP", DamagedImage),
        (b"RIFF\x20\0\0\0WEBPJUNK" + bytes(20), DamagedImage),
        (b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0", DamagedImage),
    ],
)
def test_no_header(data: bytes, error: type[ImageError]) -> None:
    with pytest.raises(error) as caught:
        read_header(data)
    assert caught.type is error


def test_a_huge_canvas_is_read_not_allocated() -> None:
    code = """if True:
        import resource, sys
        from fer_gateway.vision.header import read_header
        data = bytes.fromhex(sys.argv[1])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        header = read_header(data)
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert (header.width, header.height) == (60_000, 60_000), header
        assert grown_kib < 1024, grown_kib
    """
    data = png_header(60_000, 60_000).hex()
    subprocess.run([sys.executable, "-c", code, data], check=True, timeout=60)


@pytest.mark.parametrize(
    "flood",
    [
        b"\xff\xd8" + b"\xff\xe5\x00\x02" * 2_500_000,
        b"\xff\xd8" + b"\xff\x01" * 5_000_000,
        b"\xff\xd8\xff" + b"\x00\xff" * 5_000_000,
        b"\xff\xd8\xff\xc0\x00\x0b\x08\0\x09\0\x09\1\1\x11\0\xff\xda\x00\x02" + b"\xff\x00" * 5_000_000,
        b"\xff\xd8" + b"\xff" * 10_000_000,
        png_header(9, 9) + png_chunk(b"teXt", b"") * 800_000,
        b"RIFF\x80\x96\x98\x00WEBPVP8L\x05\0\0\0\x2f\0\0\0\0\0" + b"JUNK\0\0\0\0" * 1_200_000,
    ],
    ids=["segments", "bare markers", "stuffed zeros", "a scan", "fill bytes", "PNG chunks", "RIFF chunks"],
)
def test_a_flood_of_parts_costs_little(flood: bytes) -> None:
    started = process_time()
    with suppress(DamagedImage):
        read_header(flood)
    assert process_time() - started < 1.0


def test_a_jpeg_of_many_scans_is_refused() -> None:
    """Each scan is a pass over all pixels, and a few bytes are enough for one."""
    photo = encode(Image.new("L", (64, 64)), "JPEG", progressive=True)
    last = photo.rfind(b"\xff\xda")
    scan, few, many = photo[last:-2], 80, 5000
    assert read_header(photo[:-2] + scan * few + b"\xff\xd9").intact
    hidden = b"\xff\xfe\x00\x04\xff\xd9" + scan  # a comment that looks like the end
    for flood in (scan * many, hidden * many, b"\xff\xe5\x00\x02" * 70_000 + scan * many):
        with pytest.raises(UnsupportedImage, match="scans"):
            read_header(photo[:-2] + flood + b"\xff\xd9")


@given(st.sampled_from(SIGNATURES), st.binary(max_size=400))
def test_any_bytes_give_a_header_or_an_image_error(signature: bytes, rest: bytes) -> None:
    try:
        header = read_header(signature + rest)
    except ImageError:
        return
    assert header.width > 0
    assert header.height > 0
    assert 1 <= header.orientation <= 8
