"""Files to grey pixels: against Pillow where both can, and refused where nothing can."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fer_gateway.errors import (
    BodyTooLarge,
    DamagedImage,
    EmptyImage,
    ImageError,
    TooManyPixels,
    UnsupportedImage,
)
from fer_gateway.vision.decode import decode_grey, upright

Formats = list[tuple[str, dict[str, object]]]

LOSSY: Formats = [
    ("JPEG", {"quality": 95}),
    ("JPEG", {"quality": 95, "progressive": True}),
    ("WEBP", {"quality": 95}),
]
LOSSLESS: Formats = [("PNG", {}), ("WEBP", {"lossless": True})]


def picture(mode: str = "RGB", size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Coloured blocks of 8 x 8 pixels: no two corners alike, so that a wrong turn shows."""
    blocks = np.random.default_rng(3).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).convert(mode)


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def seen_by_pillow(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L"))


def mean_difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    assert first.shape == second.shape
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


@pytest.mark.parametrize(("file_format", "options"), LOSSY + LOSSLESS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_and_orientation_are_those_of_pillow(
    file_format: str, options: dict[str, object], orientation: int
) -> None:
    tags = Image.Exif()
    tags[0x0112] = orientation
    data = encode(picture(), file_format, exif=tags, **options)
    grey = decode_grey(data)
    assert grey.dtype == np.uint8
    assert grey.shape == ((64, 96) if orientation < 5 else (96, 64))
    assert mean_difference(grey, seen_by_pillow(data)) < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_undoes_what_exif_defines(orientation: int) -> None:
    """The tag says where row 0 and column 0 of the stored picture lie in the scene (EXIF 2.32, 4.6.4)."""
    scene = np.arange(6, dtype=np.uint8).reshape(2, 3)
    stored = {
        1: scene,
        2: scene[:, ::-1],
        3: scene[::-1, ::-1],
        4: scene[::-1],
        5: scene.T,
        6: scene.T[::-1],
        7: scene[::-1, ::-1].T,
        8: scene.T[:, ::-1],
    }[orientation]
    np.testing.assert_array_equal(upright(np.ascontiguousarray(stored), orientation), scene)


def test_16_bit_png_keeps_its_brightness() -> None:
    ramp = np.linspace(0, 65535, 64 * 96).reshape(64, 96).astype(np.uint16)
    grey = decode_grey(cv2.imencode(".png", ramp)[1].tobytes())
    assert np.abs(grey.astype(float) - ramp / 257).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_png_of_every_kind(mode: str) -> None:
    image = picture(mode)
    data = encode(image, "PNG")
    assert (
        mean_difference(
            decode_grey(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB").convert("L"))
        )
        < 2
    )


def test_cmyk_jpeg_is_not_inverted() -> None:
    data = encode(picture("CMYK"), "JPEG", quality=95)
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    assert mean_difference(decode_grey(data), seen_by_pillow(data)) < 2


def test_transparency_is_ignored() -> None:
    image = picture()
    image.putalpha(0)
    assert mean_difference(decode_grey(encode(image, "PNG")), decode_grey(encode(picture(), "PNG"))) == 0


@pytest.mark.parametrize("file_format", ["WEBP", "PNG"])
def test_of_an_animation_the_first_frame(file_format: str) -> None:
    frames = [Image.new("L", (60, 40), level).convert("RGB") for level in (200, 100, 0)]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100}
    grey = decode_grey(encode(frames[0], file_format, **options))
    assert grey.shape == (40, 60)
    assert abs(int(grey.mean()) - 200) <= 2


def test_photos(grace_hopper: Path, astronaut: Path) -> None:
    for path in (grace_hopper, astronaut):
        data = path.read_bytes()
        assert mean_difference(decode_grey(data), seen_by_pillow(data)) < 1


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyImage),
        (b"hello, world", UnsupportedImage),
        (b"\xff\xd8\xff\xe0 no JPEG at all", DamagedImage),
    ],
)
def test_what_is_no_image(data: bytes, error: type[ImageError]) -> None:
    with pytest.raises(error):
        decode_grey(data)


@pytest.mark.parametrize(("file_format", "options"), LOSSY + LOSSLESS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95, 0.999])
def test_a_cut_file_is_refused_without_noise(
    file_format: str, options: dict[str, object], share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encode(Image.effect_noise((64, 64), 90).convert("RGB"), file_format, **options)
    with pytest.raises(DamagedImage):
        decode_grey(data[: int(len(data) * share)])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("file_format", "options"), LOSSY + LOSSLESS)
def test_bytes_behind_the_end_do_not_matter(file_format: str, options: dict[str, object]) -> None:
    data = encode(picture(), file_format, **options)
    np.testing.assert_array_equal(decode_grey(data + b"\xff\xd9tail"), decode_grey(data))


def test_too_many_bytes() -> None:
    data = encode(picture(), "PNG")
    assert decode_grey(data, max_bytes=len(data)).shape == (64, 96)
    with pytest.raises(BodyTooLarge, match=f"{len(data) - 1:,}"):
        decode_grey(data, max_bytes=len(data) - 1)


def test_too_many_pixels() -> None:
    data = encode(picture(), "PNG")
    assert decode_grey(data, max_pixels=96 * 64).shape == (64, 96)
    with pytest.raises(TooManyPixels, match="96 x 64"):
        decode_grey(data, max_pixels=96 * 64 - 1)


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (7072, 7072), (1, 65_536), (2**31 - 1, 1)])
def test_a_large_canvas_is_refused_by_its_header(width: int, height: int) -> None:
    code = """if True:
        import resource, sys
        from fer_gateway.errors import TooManyPixels
        from fer_gateway.vision.decode import decode_grey
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            decode_grey(bytes.fromhex(sys.argv[1]))
        except TooManyPixels:
            grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            sys.exit(f"{grown_kib} KiB more" if grown_kib > 1024 else 0)
        sys.exit("decoded")
    """
    header = (
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0" + bytes(4)
    )
    subprocess.run([sys.executable, "-c", code, header.hex()], check=True, timeout=60)


def test_a_webp_frame_larger_than_its_canvas_is_damaged() -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "lime")]
    data = bytearray(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    canvas = data.index(b"VP8X") + 12
    data[canvas : canvas + 6] = struct.pack("<HBHB", 29, 0, 19, 0)
    with pytest.raises(DamagedImage):
        decode_grey(bytes(data))


@given(st.data())
def test_damaged_bytes_decode_or_are_an_image_error(data: st.DataObject) -> None:
    file_format, options = data.draw(st.sampled_from(LOSSY + LOSSLESS))
    file = bytearray(encode(picture(size=(32, 24)), file_format, **options))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        grey = decode_grey(bytes(file), max_pixels=1_000_000)
    except ImageError:
        return
    assert grey.ndim == 2
    assert grey.dtype == np.uint8
