"""Sequences of messages of `fer.v1`, made by hypothesis, against a running gateway on real sockets.

`make fuzz` runs the same with many more sequences.
"""

import io
import logging
from collections import Counter
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from PIL import Image
from tests.api.harness import serve
from tests.conftest import write_tiny_model

from fer_gateway.settings import Settings

from .examples import share
from .stream_caller import ANSWER_WITHIN_S, Picture
from .stream_machine import PATIENT, StreamMachine

SEQUENCES, STEPS = 25, 20


def encoded(photo: Image.Image, kind: str, height_px: int) -> bytes:
    file = io.BytesIO()
    width_px = photo.width * height_px // photo.height
    photo.resize((width_px, height_px)).save(file, kind)
    return file.getvalue()


def test_messages_in_any_order(tmp_path: Path, grace_hopper: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A stream ends by its client's wish or fault only, with a documented code, and no credit is lost."""
    photo = Image.open(grace_hopper)
    jpeg = encoded(photo, "JPEG", 160)
    png = encoded(photo.convert("L"), "PNG", 120)
    files = (jpeg, png, b"", b"text", jpeg[:2000], png[:40] + bytes(60) + png[100:])
    with (
        serve(Settings(model=write_tiny_model(tmp_path / "tiny.onnx"), **PATIENT)) as running,
        httpx.Client(base_url=running.url, timeout=ANSWER_WITHIN_S) as http,
    ):

        class Machine(StreamMachine):
            gateway = running
            client = http
            pictures = tuple(Picture.of(file) for file in files)

        Machine.seen = Counter()
        Machine.resting = Machine.rest()
        assert [picture.problem is None for picture in Machine.pictures] == [True, True] + 4 * [False]
        run_state_machine_as_test(Machine, settings=settings(share(SEQUENCES), stateful_step_count=STEPS))
    print(dict(sorted(Machine.seen.items())))
    assert Machine.seen["sequences"] >= SEQUENCES
    assert min(Machine.seen[kind] for kind in ("result", "violations", "streams that vanished")) > 0
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
