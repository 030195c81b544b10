"""Tokens in streams: the `hello` that is let in, the one that is not, and the stream that loses its right."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from fer_gateway.api.protocol import Frame
from fer_gateway.lan.devices import DeviceFile

from .harness import Running, Start
from .test_stream import ending, opened, read


@pytest.fixture
def devices(tmp_path: Path) -> DeviceFile:
    return DeviceFile(tmp_path / "devices.json")


@pytest.fixture
def guarded(start: Start, tmp_path: Path) -> Running:
    return start(host="0.0.0.0", devices=tmp_path / "devices.json", max_streams_per_client=2, max_streams=3)


def hello(token: str | None = None) -> str:
    return json.dumps({"type": "hello", "token": token, "options": {}})


def refusal(gateway: Running, token: str | None, **options: Any) -> tuple[str, int]:
    """Code of the problem and close code after a `hello`."""
    with opened(gateway, **options) as socket:
        socket.send(hello(token))
        problem, code = ending(socket)
        return problem["code"], code


def test_without_a_token(guarded: Running) -> None:
    assert refusal(guarded, None) == ("token_required", 1008)


def test_with_a_wrong_token(guarded: Running) -> None:
    assert refusal(guarded, "fer_wrong") == ("token_invalid", 1008)


def test_with_a_token_for_pictures_only(guarded: Running, devices: DeviceFile) -> None:
    assert refusal(guarded, devices.add("app", ("analyze",), 1)[1]) == ("scope_missing", 1008)


def test_with_a_token(guarded: Running, devices: DeviceFile, gradient_jpg: bytes) -> None:
    with opened(guarded) as socket:
        socket.send(hello(devices.add("phone", ("stream",), 1)[1]))
        assert read(socket)["type"] == "ready"
        socket.send(Frame(1, 0.0, gradient_jpg).pack())
        assert read(socket)["type"] == "result"


def test_with_a_token_in_the_header(guarded: Running, devices: DeviceFile) -> None:
    """What programs other than browsers can send."""
    headers = {"Authorization": f"Bearer {devices.add('app', ('stream',), 1)[1]}"}
    with opened(guarded, additional_headers=headers) as socket:
        socket.send(hello())
        assert read(socket)["type"] == "ready"


def test_a_revoked_token_ends_an_open_stream(
    guarded: Running, devices: DeviceFile, gradient_jpg: bytes
) -> None:
    device, token = devices.add("lost phone", ("stream",), 1)
    with opened(guarded) as socket:
        socket.send(hello(token))
        assert read(socket)["type"] == "ready"
        devices.revoke(device.id)
        socket.send(Frame(1, 0.0, gradient_jpg).pack())
        problem, code = ending(socket)
    assert (problem["code"], code) == ("token_invalid", 1008)


def test_one_device_cannot_take_all_places(guarded: Running, devices: DeviceFile) -> None:
    greedy, other = (devices.add(name, ("stream",), 1)[1] for name in ("greedy", "other"))
    with opened(guarded) as first, opened(guarded) as second:
        for socket in (first, second):
            socket.send(hello(greedy))
            assert read(socket)["type"] == "ready"
        assert refusal(guarded, greedy) == ("busy", 1013)
        with opened(guarded) as third:
            third.send(hello(other))
            assert read(third)["type"] == "ready"
    deadline = time.monotonic() + 30
    while guarded.app.state.gateway._streams and time.monotonic() < deadline:
        time.sleep(0.01)
    with opened(guarded) as again:
        again.send(hello(greedy))
        assert read(again)["type"] == "ready"


def test_the_silent_take_no_places(guarded: Running, devices: DeviceFile) -> None:
    """As many connections as there are places, none of which says who it is."""
    token = devices.add("phone", ("stream",), 1)[1]
    with opened(guarded), opened(guarded), opened(guarded), opened(guarded) as socket:
        socket.send(hello(token))
        assert read(socket)["type"] == "ready"


def test_the_silent_are_counted(guarded: Running) -> None:
    """They hold memory and sockets all the same."""
    silent = [opened(guarded) for _ in range(9)]
    sockets = [connection.__enter__() for connection in silent]
    try:
        problem, code = ending(sockets[-1])
        assert (problem["code"], code) == ("busy", 1013)
    finally:
        for connection in silent:
            connection.__exit__(None, None, None)
