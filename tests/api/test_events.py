"""`/api/v1/events`: every result, to those with a token, when it is switched on."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from fer_gateway.api.hub import BACKLOG, MAX_LISTENERS, Hub
from fer_gateway.api.protocol import Frame
from fer_gateway.contract import ModelCard
from fer_gateway.faces import Analysis
from fer_gateway.inference.model import EmotionModel
from fer_gateway.lan.devices import DeviceFile
from fer_gateway.settings import Settings

from .harness import Running, problem_of, serve
from .test_stream import greeted, read
from .test_tokens import token_for

Event = tuple[str, dict[str, Any]]


@pytest.fixture
def devices(tmp_path: Path) -> DeviceFile:
    return DeviceFile(tmp_path / "devices.json")


@pytest.fixture
def telling(settings: Settings, devices: DeviceFile, tmp_path: Path) -> Iterator[Running]:
    """A gateway with events."""
    changes = {"events": True, "devices": tmp_path / "devices.json"}
    with serve(settings.model_copy(update=changes)) as running:
        yield running


@contextmanager
def listening(gateway: Running, devices: DeviceFile) -> Iterator[Iterator[Event]]:
    """The events of a gateway, after `ready`."""
    url, headers = f"{gateway.url}/api/v1/events", token_for(devices, "stream")
    with httpx.stream("GET", url, headers=headers, timeout=30) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        events = parsed(response.iter_lines())
        name, data = next(events)
        assert (name, data["model"]["name"]) == ("ready", "tiny")
        yield events


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def test_results_of_pictures_and_streams(
    telling: Running, devices: DeviceFile, hopper_jpg: bytes, gradient_jpg: bytes
) -> None:
    with listening(telling, devices) as events, listening(telling, devices) as others:
        posted = httpx.post(f"{telling.url}/api/v1/analyze", content=hopper_jpg, timeout=30).json()
        name, data = next(events)
        assert name == "result"
        assert (data["source"], data["stream"], data["dropped"]) == ("picture", None, 0)
        assert {**data["faces"][0], "id": 0} == {**posted["faces"][0], "id": 0}
        with greeted(telling) as stream, greeted(telling) as second:
            for number, socket_ in enumerate((stream, second)):
                socket_.send(Frame(number, 0.0, hopper_jpg).pack())
                read(socket_)
        told = [next(events)[1] for _ in range(2)]
        assert [data["source"] for data in told] == ["stream", "stream"]
        assert told[0]["stream"] != told[1]["stream"]
        assert told[0]["faces"][0]["id"] == 0
        assert set(told[0]["faces"][0]["probabilities"])
        files = [("file", ("x", gradient_jpg)), ("file", ("y", b"text"))]
        httpx.post(f"{telling.url}/api/v1/analyze/batch", files=files, timeout=30)
        assert next(events)[1]["faces"] == []
        assert [next(others)[0] for _ in range(4)] == ["result"] * 4


def test_a_stop_ends_it(settings: Settings, devices: DeviceFile, tmp_path: Path) -> None:
    changes = {"events": True, "devices": tmp_path / "devices.json", "drain_s": 60.0}
    with (
        serve(settings.model_copy(update=changes)) as gateway,
        listening(gateway, devices) as events,
    ):
        gateway.server.should_exit = True
        assert list(events) == []


def test_it_is_off_and_needs_a_token(gateway: Running, telling: Running, devices: DeviceFile) -> None:
    url = f"{telling.url}/api/v1/events"
    problem_of(httpx.get(url), 401, "token_required")
    problem_of(httpx.get(url, headers=token_for(devices, "analyze")), 403, "scope_missing")
    problem_of(httpx.get(f"{gateway.url}/api/v1/events"), 401, "token_required")


def test_it_says_how_to_switch_it_on(settings: Settings, devices: DeviceFile, tmp_path: Path) -> None:
    changes = {"devices": tmp_path / "devices.json"}
    with serve(settings.model_copy(update=changes)) as gateway:
        answer = httpx.get(f"{gateway.url}/api/v1/events", headers=token_for(devices, "stream"))
        assert "FER_EVENTS=true" in problem_of(answer, 404, "not_found")["detail"]


def test_a_revoked_token_ends_it(telling: Running, devices: DeviceFile, gradient_jpg: bytes) -> None:
    with listening(telling, devices) as events:
        devices.revoke(devices.list()[0].id)
        httpx.post(f"{telling.url}/api/v1/analyze", content=gradient_jpg, timeout=30)
        assert list(events) == []


def test_places_are_few_and_come_free(telling: Running, devices: DeviceFile) -> None:
    with ExitStack() as stack:
        for _ in range(MAX_LISTENERS):
            stack.enter_context(listening(telling, devices))
        headers = token_for(devices, "stream")
        refused = httpx.get(f"{telling.url}/api/v1/events", headers=headers, timeout=30)
        problem_of(refused, 503, "busy")
    for _ in range(100):  # until the gateway has noticed that they left
        with httpx.stream("GET", f"{telling.url}/api/v1/events", headers=headers, timeout=30) as response:
            if response.status_code == 200:
                return
    pytest.fail("places are lost")


def test_who_does_not_read_is_let_go(settings: Settings, devices: DeviceFile, tmp_path: Path) -> None:
    """Its socket fills up, and its place comes free although it stays connected."""
    token = token_for(devices, "stream")["Authorization"]
    changes = {"events": True, "devices": tmp_path / "devices.json", "send_timeout_s": 0.2}
    with serve(settings.model_copy(update=changes)) as telling, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", telling.port))
        deaf.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        gateway = telling.app.state.gateway
        large = Analysis((), {f"stage_{number}_ms": 0.0 for number in range(3000)}, 1, 1)
        wait_until(lambda: len(gateway.hub) == 1)

        def is_let_go() -> bool:
            gateway._loop.call_soon_threadsafe(gateway.hub.publish, large, gateway.analyzer.card)
            return len(gateway.hub) == 0

        wait_until(is_let_go)


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never came to that")


def analysis_of(number: int) -> Analysis:
    return Analysis(faces=(), timing={"total_ms": float(number)}, width=1, height=1)


@pytest.fixture(scope="module")
def card(tiny_model: Path) -> ModelCard:
    return EmotionModel.load(tiny_model).card


def test_a_slow_listener_misses_the_oldest(card: ModelCard) -> None:
    async def scenario() -> list[tuple[float, int]]:
        hub = Hub()
        with hub.listen() as listener:
            for number in range(BACKLOG + 5):
                hub.publish(analysis_of(number), card)
            heard = [await listener.next() for _ in range(BACKLOG)]
            hub.publish(analysis_of(1000), card)
            heard.append(await listener.next())
        assert len(hub) == 0
        return [(result["timing"]["total_ms"], result["dropped"]) for result in heard]

    heard = anyio.run(scenario)
    assert [number for number, _ in heard] == [*range(5, BACKLOG + 5), 1000]
    assert {dropped for _, dropped in heard} == {5}
