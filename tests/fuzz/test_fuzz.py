"""What nobody would send: files, headers, messages and requests of hypothesis, against the real parts.

`make fuzz` runs the same with many more inputs.
"""

import contextlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.harness import Running, serve
from tests.api.test_tokens import token_for
from tests.conftest import write_tiny_model

from fer_gateway.api.pages import API_URL
from fer_gateway.api.protocol import HEADER, Frame
from fer_gateway.errors import ProtocolViolation
from fer_gateway.lan.devices import SCOPES, DeviceFile
from fer_gateway.settings import Settings

from .examples import INPUTS, share

LIMIT_BYTES = 4096
ANSWER_WITHIN_S = 60


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("fuzz")
    model = write_tiny_model(folder / "tiny.onnx")
    with serve(
        Settings(model=model, workers=1, devices=folder / "devices.json", receive_timeout_s=5)
    ) as running:
        yield running


@pytest.mark.slow
def test_damaged_pictures() -> None:
    """Decoded or an `ImageError`, none hangs, and memory stays under what the limit on pixels allows."""
    command = [sys.executable, "-m", "tests.fuzz.images", "--inputs", str(INPUTS)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    inputs = re.match(r"(\d+) inputs .*'damaged_image': (\d+), 'decoded': (\d+)", done.stdout)
    assert inputs is not None
    assert int(inputs[1]) >= 0.9 * INPUTS
    assert min(int(inputs[2]), int(inputs[3])) > 0.05 * INPUTS


@share(1000)
@given(
    st.builds(
        Frame, st.integers(0, 2**32 - 1), st.floats(allow_nan=False, allow_infinity=False), st.binary()
    ),
    st.lists(st.tuples(st.integers(0, HEADER.size - 1), st.integers(0, 255)), max_size=3),
    st.integers(0, 64),
)
def test_damaged_frame_headers(frame: Frame, changes: list[tuple[int, int]], cut: int) -> None:
    """A real header with some bytes changed, or cut: a frame that packs to the same bytes, or a violation."""
    message = bytearray(frame.pack())
    for place, value in changes:
        message[place] = value
    damaged = bytes(message[: len(message) - cut] if cut < len(message) else message)
    try:
        read = Frame.unpack(damaged, max_image_bytes=LIMIT_BYTES)
    except ProtocolViolation:
        return
    assert read.pack() == damaged


CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Not those that want a token everywhere: this machine needs none for pictures."""


def test_requests_by_our_own_description(gateway: Running) -> None:
    """With and without a token, fitting and not: no status, type or body but those described, no 500."""
    schema = schemathesis.openapi.from_url(f"{gateway.url}{API_URL}")
    token = token_for(DeviceFile(gateway.app.state.gateway.settings.devices_file), *SCOPES)
    tried = Counter[str]()

    def send(case: schemathesis.Case[Any]) -> None:
        for headers in ({}, token):
            case.call_and_validate(checks=CHECKS, headers=headers, timeout=ANSWER_WITHIN_S)
            tried[case.operation.label] += 1

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        strategies = [found.ok().as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
        for strategy in strategies:
            with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with a request without parts
                share(3)(given(strategy)(send))()
    print(dict(tried))
    assert len(tried) >= 12


def test_the_gateway_is_well_after_all_that(gateway: Running) -> None:
    assert httpx.get(f"{gateway.url}/api/v1/ready", timeout=ANSWER_WITHIN_S).status_code == 200
