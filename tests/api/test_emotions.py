"""The packaged model says what people see, on every way into the gateway."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from fer_gateway.api.protocol import Frame

from .harness import Running, Start

Ask = Callable[[Running, Path], dict[str, Any]]


@pytest.fixture(scope="module")
def packaged(start: Start, default_model: Path) -> Running:
    return start(model=default_model)


def by_raw_body(gateway: Running, photo: Path) -> dict[str, Any]:
    return faces_of(httpx.post(f"{gateway.url}/api/v1/analyze", content=photo.read_bytes(), timeout=30).text)


def by_form(gateway: Running, photo: Path) -> dict[str, Any]:
    with photo.open("rb") as file:
        return faces_of(httpx.post(f"{gateway.url}/api/v1/analyze", files={"file": file}, timeout=30).text)


def by_curl_raw(gateway: Running, photo: Path) -> dict[str, Any]:
    return by_curl(gateway, "--data-binary", f"@{photo}")


def by_curl_form(gateway: Running, photo: Path) -> dict[str, Any]:
    return by_curl(gateway, "-F", f"file=@{photo}")


def by_curl(gateway: Running, *arguments: str) -> dict[str, Any]:
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        *arguments,
        f"{gateway.url}/api/v1/analyze",
    ]
    return faces_of(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def by_stream(gateway: Running, photo: Path) -> dict[str, Any]:
    with connect(gateway.stream_url, subprotocols=["fer.v1"], proxy=None) as socket:  # type: ignore[list-item]
        socket.send('{"type":"hello","options":{}}')
        socket.recv(15)
        socket.send(Frame(1, 0.0, photo.read_bytes()).pack())
        return faces_of(str(socket.recv(30)))


def faces_of(answer: str) -> dict[str, Any]:
    """The one face of an answer."""
    (face,) = json.loads(answer)["faces"]
    return dict(face)


with_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no `curl`")
WAYS = [
    by_raw_body,
    by_form,
    by_stream,
    pytest.param(by_curl_raw, marks=with_curl),
    pytest.param(by_curl_form, marks=with_curl),
]


@pytest.mark.parametrize("ask", WAYS)
def test_the_astronaut_smiles(packaged: Running, astronaut: Path, ask: Ask) -> None:
    face = ask(packaged, astronaut)
    assert face["label"] == "happiness"
    assert face["confidence"] > 0.5


def test_every_way_gives_the_same_answer(packaged: Running, grace_hopper: Path) -> None:
    raw, form, streamed = (ask(packaged, grace_hopper) for ask in (by_raw_body, by_form, by_stream))
    assert raw == form
    assert raw["box"] == streamed["box"]
    assert list(raw["probabilities"].values()) == pytest.approx(streamed["probabilities"], abs=1e-4)
