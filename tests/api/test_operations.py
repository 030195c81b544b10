"""Operating a gateway: another model without a restart, an end in order, and who may ask for what."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.gateway import Gateway
from fer_gateway.api.protocol import Frame
from fer_gateway.contract import EMOTIONS
from fer_gateway.lan.devices import DeviceFile
from fer_gateway.settings import Settings

from .harness import Running, Start, problem_of, serve
from .test_endurance import started
from .test_stream import GatedAnalyzer, ending, greeted, read
from .test_tokens import token_for

RELOAD = "/api/v1/model/reload"

Replace = Callable[..., None]


@pytest.fixture
def devices(tmp_path: Path) -> DeviceFile:
    return DeviceFile(tmp_path / "devices.json")


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A model that a test may replace."""
    return Path(shutil.copy(tiny_model, tmp_path / "served.onnx"))


@pytest.fixture
def gated(settings: Settings) -> Iterator[tuple[Running, GatedAnalyzer]]:
    """A gateway of its own that analyses nothing until its analyzer's gate is opened."""
    analyzer = GatedAnalyzer.open(settings.model_file)
    analyzer.hold()
    patient = settings.model_copy(update={"drain_s": 60.0})
    with serve(patient, lambda _: analyzer) as gateway:
        yield gateway, analyzer
        analyzer.gate.set()


@pytest.fixture
def replace(build_model: Any, model: Path) -> Replace:
    """Puts a model with another card in the place of the served one, in one step."""
    return lambda **card: build_model(card=card).rename(model)


@pytest.fixture
def swappable(settings: Settings, model: Path, devices: DeviceFile, tmp_path: Path) -> Iterator[Running]:
    with serve(settings.model_copy(update={"model": model, "devices": tmp_path / "devices.json"})) as running:
        yield running


def reload(gateway: Running, devices: DeviceFile) -> httpx.Response:
    return httpx.post(f"{gateway.url}{RELOAD}", headers=token_for(devices, "admin"), timeout=60)


def test_a_new_model_answers_and_no_stream_ends(
    swappable: Running, replace: Replace, model: Path, devices: DeviceFile, hopper_jpg: bytes
) -> None:
    with greeted(swappable) as stream, httpx.Client(base_url=swappable.url, timeout=60) as client:
        stream.send(Frame(1, 0.0, hopper_jpg).pack())
        before = read(stream)
        replace(version="0.0.2")
        assert client.get("/api/v1/model").json()["version"] == "0.0.1"
        answer = reload(swappable, devices)
        assert (answer.status_code, answer.json()["version"]) == (200, "0.0.2")
        assert client.get("/api/v1/model").json()["version"] == "0.0.2"
        posted = client.post("/api/v1/analyze", content=hopper_jpg).json()
        assert posted["model"] == {"name": "tiny", "version": "0.0.2"}
        stream.send(Frame(2, 40.0, hopper_jpg).pack())
        told, after = read(stream), read(stream)
        assert (told["type"], told["card"]["version"]) == ("model", "0.0.2")
        assert (after["type"], after["seq"], after["credits"]) == ("result", 2, 1)
        assert [face["id"] for face in after["faces"]] == [face["id"] for face in before["faces"]] == [0]
        stream.send(Frame(3, 80.0, hopper_jpg).pack())
        assert read(stream)["type"] == "result"


def test_a_model_that_cannot_serve_changes_nothing(
    swappable: Running, replace: Replace, model: Path, devices: DeviceFile, hopper_jpg: bytes
) -> None:
    with greeted(swappable) as stream:
        replace(version="0.0.3", self_test={"probabilities": [[0.125] * 8] * 2})
        problem_of(reload(swappable, devices), 503, "self_test_failed")
        model.write_bytes(b"no model")
        problem_of(reload(swappable, devices), 503, "invalid_model")
        model.unlink()
        problem_of(reload(swappable, devices), 503, "model_not_found")
        stream.send(Frame(1, 0.0, hopper_jpg).pack())
        assert read(stream)["type"] == "result"
    with httpx.Client(base_url=swappable.url, timeout=60) as client:
        assert client.get("/api/v1/model").json()["version"] == "0.0.1"
        metrics = client.get("/metrics").text
        assert 'fer_model_swaps_total{outcome="self_test_failed"} 1.0' in metrics


def test_other_labels_need_another_stream(
    swappable: Running, replace: Replace, model: Path, devices: DeviceFile, hopper_jpg: bytes
) -> None:
    with greeted(swappable) as stream:
        replace(labels=list(reversed(EMOTIONS)))
        assert reload(swappable, devices).status_code == 200
        stream.send(Frame(1, 0.0, hopper_jpg).pack())
        problem, code = ending(stream)
        assert (problem["code"], code) == ("restarting", 1012)
    with greeted(swappable) as stream:
        stream.send(Frame(1, 0.0, hopper_jpg).pack())
        assert read(stream)["type"] == "result"


def test_pictures_under_way_are_answered_by_the_model_they_came_to(
    settings: Settings, build_model: Any, devices: DeviceFile, tmp_path: Path, hopper_jpg: bytes
) -> None:
    """Nothing waits, and nothing is mixed: crops of one model never meet the labels of another."""
    gated = GatedAnalyzer.open(settings.model_file)
    gated.hold()
    newer = build_model(card={"version": "9.0.0"})
    analyzers = iter([gated, GatedAnalyzer.open(newer)])
    here = settings.model_copy(update={"devices": tmp_path / "devices.json"})
    answers: list[dict[str, Any]] = []

    def post() -> None:
        answers.append(httpx.post(f"{gateway.url}/api/v1/analyze", content=hopper_jpg, timeout=60).json())

    with serve(here, lambda _: next(analyzers)) as gateway:
        thread = threading.Thread(target=post)
        thread.start()
        assert gated.entered.wait(30)
        assert reload(gateway, devices).json()["version"] == "9.0.0"
        gated.gate.set()
        thread.join()
    assert answers[0]["model"]["version"] == "0.0.1"


def test_who_may_ask_for_what(start: Start, devices: DeviceFile, tmp_path: Path, gradient_jpg: bytes) -> None:
    """On a loopback address the admin needs a token, on others everybody."""
    here = start(devices=tmp_path / "devices.json")
    problem_of(httpx.post(f"{here.url}{RELOAD}"), 401, "token_required")
    refused = httpx.post(f"{here.url}{RELOAD}", headers=token_for(devices, "analyze", "stream"))
    problem_of(refused, 403, "scope_missing")
    evil = token_for(devices, "admin") | {"Origin": "https://evil.example"}
    problem_of(httpx.post(f"{here.url}{RELOAD}", headers=evil), 403, "origin_not_allowed")
    outside = start(host="0.0.0.0", devices=tmp_path / "devices.json")
    files = {"file": ("x", gradient_jpg)}
    batch = f"{outside.url}/api/v1/analyze/batch"
    problem_of(httpx.post(batch, files=files), 401, "token_required")
    problem_of(httpx.get(f"{outside.url}/metrics"), 401, "token_required")
    headers = token_for(devices, "analyze")
    assert httpx.post(batch, files=files, headers=headers, timeout=60).status_code == 200
    assert httpx.get(f"{outside.url}/metrics", headers=headers).status_code == 200


def test_a_hangup_opens_the_model_again(model: Path, replace: Replace, hopper_jpg: bytes) -> None:
    with started(model) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        replace(version="0.0.2")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: client.get("/api/v1/model").json()["version"] == "0.0.2")
        model.write_bytes(b"no model")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: 'outcome="invalid_model"' in client.get("/metrics").text)
        answer = client.post("/api/v1/analyze", content=hopper_jpg).json()
        assert answer["model"]["version"] == "0.0.2"


def test_what_is_asked_before_the_start_or_meanwhile_is_done(settings: Settings) -> None:
    """No signal is lost: the file may have been replaced after the gateway last looked at it."""
    opened = threading.Semaphore(0)
    go_on = threading.Semaphore(0)

    def open_slowly(settings: Settings) -> Analyzer:
        opened.release()
        assert go_on.acquire(timeout=30)
        return Analyzer.open(settings.model_file)

    async def ask() -> None:
        gateway = Gateway(settings, open_slowly, analyzer=Analyzer.open(settings.model_file))
        gateway.reload_soon()
        async with gateway.running():
            first = gateway.analyzer
            assert await anyio.to_thread.run_sync(lambda: opened.acquire(timeout=30))
            for _ in range(3):
                gateway.reload_soon()
            go_on.release()
            assert await anyio.to_thread.run_sync(lambda: opened.acquire(timeout=30))
            second = gateway.analyzer
            assert second is not first
            go_on.release()
            await anyio.to_thread.run_sync(wait_until, lambda: gateway.analyzer is not second)
            await anyio.sleep(0.2)
            assert not opened.acquire(blocking=False)
        gateway.reload_soon()

    anyio.run(ask)


def test_a_fault_that_nobody_foresaw_is_told(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Settings) -> Analyzer:
        raise RuntimeError("unforeseen")

    async def ask() -> None:
        gateway = Gateway(settings, fail, analyzer=Analyzer.open(settings.model_file))
        async with gateway.running():
            before = gateway.analyzer
            gateway.reload_soon()
            await anyio.to_thread.run_sync(wait_until, lambda: "unforeseen" in caplog.text)
            assert b'outcome="internal_error"' in gateway.metrics.render()
            assert gateway.analyzer is before

    anyio.run(ask)


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never came to that")


def test_what_is_under_way_is_answered_before_the_end(
    gated: tuple[Running, GatedAnalyzer], hopper_jpg: bytes
) -> None:
    """Told to stop while a frame and a picture are analysed and a frame waits: all get their answers."""
    gateway, analyzer = gated
    posted: list[httpx.Response] = []

    def post() -> None:
        posted.append(httpx.post(f"{gateway.url}/api/v1/analyze", content=hopper_jpg, timeout=60))

    with greeted(gateway) as stream, greeted(gateway) as idle:
        for sequence in range(2):
            stream.send(Frame(sequence, 40.0 * sequence, hopper_jpg).pack())
            if sequence == 0:
                assert analyzer.entered.wait(30)
        thread = threading.Thread(target=post)
        thread.start()
        wait_until(lambda: "fer_pictures_waiting 1.0" in httpx.get(f"{gateway.url}/metrics", timeout=60).text)
        gateway.server.should_exit = True
        assert ending(idle)[1] == 1012
        problem_of(httpx.get(f"{gateway.url}/api/v1/ready", timeout=60), 503, "not_ready")
        analyzer.gate.set()
        answers = [read(stream), read(stream)]
        assert [(answer["type"], answer["seq"]) for answer in answers] == [("result", 0), ("result", 1)]
        problem, code = ending(stream)
        assert (problem["code"], code) == ("restarting", 1012)
        thread.join()
    assert posted[0].status_code == 200
    assert len(posted[0].json()["faces"]) == 1


def test_who_never_finishes_is_not_waited_for(settings: Settings, hopper_jpg: bytes) -> None:
    """A body that does not come holds the end up for `drain_s`, no longer."""
    with serve(settings.model_copy(update={"drain_s": 0.5})) as gateway:
        connection = socket.create_connection(("127.0.0.1", gateway.port))
        connection.sendall(
            b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc"
        )
        wait_until(lambda: "fer_pictures_waiting 1.0" in httpx.get(f"{gateway.url}/metrics", timeout=60).text)
    connection.close()  # `serve` has seen the server end within its patience


def test_a_second_signal_ends_at_once(tiny_model: Path) -> None:
    body = b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc"
    with (
        started(tiny_model, FER_DRAIN_S="300") as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(body)
        wait_until(lambda: "fer_pictures_waiting 1.0" in httpx.get(f"{server.url}/metrics", timeout=60).text)
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: httpx.get(f"{server.url}/api/v1/ready", timeout=60).status_code == 503)
        server.process.send_signal(signal.SIGINT)
        server.process.wait(timeout=60)


def test_the_log_as_json(tiny_model: Path, tmp_path: Path, hopper_jpg: bytes) -> None:
    """A line for each request, and nothing that is secret in any of them."""
    secret = "fer_" + "s3cret" * 8
    log = tmp_path / "log"
    environment = os.environ | {"FER_MODEL": str(tiny_model), "FER_PORT": "0", "FER_LOG_FORMAT": "json"}
    command = [sys.executable, "-m", "fer_gateway", "serve", "--log-level", "debug"]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True)
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().rsplit(':', 1)[1].strip()}"
            headers = {"Authorization": f"Bearer {secret}"}
            with httpx.Client(base_url=url, timeout=60, headers=headers) as client:
                client.post("/api/v1/analyze?max_faces=1", content=hopper_jpg)
                client.get(f"/api/v1/model?note={secret}")
                client.get(f"/nowhere/{secret}?note=private")
            address = f"{url.replace('http', 'ws')}/api/v1/stream?note={secret}"
            with connect(address, subprotocols=[Subprotocol("fer.v1")], proxy=None) as stream:
                stream.send(json.dumps({"type": "hello", "token": secret}))
                stream.recv(60)
                stream.send(Frame(1, 0.0, hopper_jpg).pack())
                stream.recv(60)
            process.terminate()
            process.wait(timeout=60)
        finally:
            process.kill()
            process.communicate()
    text = log.read_text()
    assert secret not in text
    assert "private" not in text
    assert "BINARY" not in text  # how uvicorn would show the bytes of a frame
    entries = [json.loads(line) for line in text.splitlines()]
    assert all({"time", "level", "logger", "message"} <= entry.keys() for entry in entries)
    requests = [entry for entry in entries if "route" in entry]
    assert [(entry["method"], entry["route"], entry["status"]) for entry in requests] == [
        ("POST", "/api/v1/analyze", 200),
        ("GET", "/api/v1/model", 200),
        ("GET", "none", 404),
    ]
    assert all(entry["duration_ms"] > 0 for entry in requests)
