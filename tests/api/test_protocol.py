"""`fer.v1` as bytes and JSON."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_gateway.api.protocol import HEADER, Frame, Hello, Reset, encode, parse_text
from fer_gateway.errors import ProtocolViolation
from fer_gateway.options import StreamOptions

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "frame_header.json").read_text("utf-8"))
LIMIT_BYTES = 1000
BAD_STREAM_OPTIONS = [
    {"max_faces": 0},
    {"max_faces": 65},
    {"max_faces": 1.5},
    {"max_faces": None},
    {"min_face": -0.1},
    {"min_face": 1.1},
    {"min_face": math.nan},
    {"uncertain_below": 2},
    {"uncertain_below": "high"},
    {"landmarks": 3},
    {"smooth": "maybe"},
    {"later": 1},
]
FRAMES = st.builds(
    Frame,
    sequence=st.integers(0, 2**32 - 1),
    captured_ms=st.floats(allow_nan=False, allow_infinity=False),
    image=st.binary(max_size=LIMIT_BYTES),
)


@pytest.mark.parametrize("golden", GOLDEN["frames"], ids=lambda golden: golden["name"])
def test_golden_bytes(golden: dict[str, Any]) -> None:
    frame = Frame(golden["sequence"], golden["captured_ms"], bytes.fromhex(golden["image_hex"]))
    message = bytes.fromhex(golden["message_hex"])
    assert frame.pack() == message
    assert Frame.unpack(message, max_image_bytes=LIMIT_BYTES) == frame


@given(FRAMES)
def test_frames_come_back_as_they_were(frame: Frame) -> None:
    assert Frame.unpack(frame.pack(), max_image_bytes=LIMIT_BYTES) == frame


@given(st.binary(max_size=64))
def test_any_bytes_are_a_frame_or_a_violation(message: bytes) -> None:
    try:
        frame = Frame.unpack(message, max_image_bytes=LIMIT_BYTES)
    except ProtocolViolation:
        return
    assert frame.pack() == message
    assert math.isfinite(frame.captured_ms)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "16"),
        (HEADER.pack(b"FE", 1, 0, 1, 0.0)[:15], "16"),
        (HEADER.pack(b"EF", 1, 0, 1, 0.0), "version"),
        (HEADER.pack(b"FE", 2, 0, 1, 0.0), "version"),
        (HEADER.pack(b"FE", 1, 1, 1, 0.0), "flags"),
        (HEADER.pack(b"FE", 1, 0, 1, math.nan), "captured_ms"),
        (HEADER.pack(b"FE", 1, 0, 1, math.inf), "captured_ms"),
        (Frame(1, 0.0, bytes(LIMIT_BYTES + 1)).pack(), "1000"),
    ],
)
def test_what_is_no_frame(message: bytes, reason: str) -> None:
    with pytest.raises(ProtocolViolation, match=reason):
        Frame.unpack(message, max_image_bytes=LIMIT_BYTES)


def test_messages_of_a_client() -> None:
    assert isinstance(parse_text('{"type":"hello","options":{}}'), Hello)
    assert isinstance(parse_text('{"type":"hello","token":"t","later":1}'), Hello)
    assert isinstance(parse_text('{"type":"reset"}'), Reset)


def test_options_of_a_client() -> None:
    asked: dict[str, Any] = {
        "max_faces": 3,
        "min_face": 0.2,
        "uncertain_below": 0.5,
        "landmarks": False,
        "smooth": False,
    }
    message = parse_text(json.dumps({"type": "hello", "options": asked}))
    assert isinstance(message, Hello)
    assert message.options == StreamOptions(**asked)
    bare = parse_text('{"type":"hello"}')
    assert isinstance(bare, Hello)
    assert (bare.options.landmarks, bare.options.smooth, bare.options.max_faces) == (True, True, 64)


@pytest.mark.parametrize("options", BAD_STREAM_OPTIONS, ids=str)
def test_a_wrong_option_is_named(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ProtocolViolation, match=rf"`hello\.options\.{name}`"):
        parse_text(json.dumps({"type": "hello", "options": options}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"type":"frame"}',
        '{"type":"hello","options":3}',
        "[" * 5000,
        "x" * 20_000,
    ],
)
def test_what_is_no_message(text: str) -> None:
    with pytest.raises(ProtocolViolation):
        parse_text(text)


def test_messages_are_json_without_spaces() -> None:
    assert (
        encode({"type": "grant", "credits": 1, "détail": "é"}) == '{"type":"grant","credits":1,"détail":"é"}'
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"x": math.nan})
