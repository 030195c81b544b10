"""Faults from outside and inside, on real processes. `server/FAULTS.md` says what clients see of each.

`pytest -rP tests/api/test_faults.py` prints how long each takes.
"""

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from tests.conftest import write_tiny_model
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from fer_gateway.api.protocol import Frame
from fer_gateway.lan.devices import DeviceFile

from .harness import problem_of
from .test_endurance import Server, raw_stream, started
from .test_tokens import token_for

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "server" / "FAULTS.md"

ANALYSIS_TIMEOUT_S = 3.0
PATIENCE_S = 60.0
"""Far more than anything here takes: the machine of the tests may be busy."""
DARK = 60.0
"""Mean grey level below which the hanging model hangs."""

Measure = Callable[[str, float], None]


@pytest.fixture
def measure() -> Measure:
    """Print what took how long, for the table."""
    return lambda what, since_s: print(f"{what}: {time.monotonic() - since_s:.2f} s")


@pytest.fixture(scope="module")
def hanging_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose graph loops for ever, inside ONNX Runtime, where a face is dark."""
    return write_tiny_model(tmp_path_factory.mktemp("hanging") / "hanging.onnx", hangs_below=DARK)


@pytest.fixture(scope="module")
def dark_jpg(hopper_jpg: bytes) -> bytes:
    """The face that it hangs at."""
    grey = cv2.imdecode(np.frombuffer(hopper_jpg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return bytes(cv2.imencode(".jpg", (grey * 0.3).astype(np.uint8))[1])


@contextmanager
def in_thread(work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def answer_to(stream: ClientConnection, sequence: int, image: bytes) -> dict[str, object]:
    stream.send(Frame(sequence, 40.0 * sequence, image).pack())
    answer: dict[str, object] = json.loads(stream.recv(PATIENCE_S))
    return answer


def everything_from(stream: ClientConnection) -> None:
    while True:
        stream.recv(PATIENCE_S)


def eventually(holds: Callable[[], bool]) -> None:
    """Ask until it holds; a gateway that is away is none that holds."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        try:
            if holds():
                return
        except (OSError, httpx.TransportError):
            pass
        time.sleep(0.05)
    pytest.fail("it never came to that")


def healthy(server: Server) -> bool:
    return httpx.get(f"{server.url}/api/v1/health", timeout=PATIENCE_S).status_code == 200


def metric(server: Server, name: str) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_S).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def post(server: Server, image: bytes) -> httpx.Response:
    return httpx.post(f"{server.url}/api/v1/analyze", content=image, timeout=PATIENCE_S)


@pytest.mark.slow
def test_killed_in_mid_stream(tiny_model: Path, hopper_jpg: bytes, measure: Measure) -> None:
    """The client learns of it at once, and a new process on the port serves it with nothing left over."""
    with started(tiny_model) as first, first.stream() as stream:
        assert answer_to(stream, 1, hopper_jpg)["type"] == "result"
        stream.send(Frame(2, 40.0, hopper_jpg).pack())
        killed_s = time.monotonic()
        first.process.kill()
        with pytest.raises(ConnectionClosed):
            everything_from(stream)
        measure("the client learns of the kill", killed_s)
        first.process.wait(PATIENCE_S)
    started_s = time.monotonic()
    with started(tiny_model, FER_PORT=str(first.port)) as second, second.stream() as stream:
        measure("a new process has said `ready`", started_s)
        assert answer_to(stream, 1, hopper_jpg)["seq"] == 1
        measure("and answered a frame", started_s)


@pytest.mark.slow
def test_a_frame_that_hangs_costs_its_client_one_connection(
    hanging_model: Path, hopper_jpg: bytes, dark_jpg: bytes, measure: Measure
) -> None:
    """ONNX Runtime never comes back from it: others are served meanwhile, and its client after a while."""
    answers: list[dict[str, object]] = []

    with started(hanging_model, FER_ANALYSIS_TIMEOUT_S=f"{ANALYSIS_TIMEOUT_S}") as server:
        with server.stream() as victim, server.stream() as other:
            assert answer_to(victim, 1, hopper_jpg)["type"] == "result"
            sent_s = time.monotonic()
            with in_thread(lambda: answers.append(answer_to(victim, 2, dark_jpg))):
                assert [answer_to(other, n, hopper_jpg)["type"] for n in range(3)] == ["result"] * 3
            measure(f"told of a hang with a limit of {ANALYSIS_TIMEOUT_S:g} s", sent_s)
            assert answers[0]["type"] == "error"
            assert "`FER_ANALYSIS_TIMEOUT_S`" in str(answers[0]["problem"])
            with pytest.raises(ConnectionClosed) as closed:
                victim.recv(PATIENCE_S)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
            assert answer_to(other, 4, hopper_jpg)["type"] == "result"
        assert metric(server, "fer_workers_stuck") == 1
        assert healthy(server)
        with server.stream() as again:
            assert answer_to(again, 1, hopper_jpg)["type"] == "result"
        assert post(server, hopper_jpg).status_code == 200


@pytest.mark.slow
def test_too_many_that_hang_start_the_gateway_again(
    hanging_model: Path, hopper_jpg: bytes, dark_jpg: bytes, measure: Measure
) -> None:
    """Same process number, same port; the threads that hung are gone."""
    answers: list[httpx.Response] = []
    with started(hanging_model, FER_ANALYSIS_TIMEOUT_S=f"{ANALYSIS_TIMEOUT_S}") as server:
        hung_s = time.monotonic()
        with in_thread(lambda: answers.append(post(server, dark_jpg))):
            answers.append(post(server, dark_jpg))
        measure(f"told of two hangs with a limit of {ANALYSIS_TIMEOUT_S:g} s", hung_s)
        for answer in answers:
            assert answer.headers["retry-after"] == "1"
            problem_of(answer, 503, "analysis_timeout")
        restarted_s = time.monotonic()
        eventually(lambda: healthy(server) and metric(server, "fer_workers_stuck") == 0)
        measure("serves again", restarted_s)
        assert server.process.poll() is None
        assert post(server, hopper_jpg).status_code == 200


@pytest.mark.slow
def test_a_hang_does_not_keep_the_gateway_from_stopping(
    hanging_model: Path, dark_jpg: bytes, measure: Measure
) -> None:
    """Told to stop while a thread hangs for which nobody has lost patience yet."""
    with started(hanging_model, FER_DRAIN_S="0.5") as server, server.stream() as stream:
        stream.send(Frame(1, 0.0, dark_jpg).pack())
        eventually(lambda: metric(server, "fer_frames_received_total") == 1)
        time.sleep(0.5)  # until it hangs
        told_s = time.monotonic()
        server.process.terminate()
        assert server.process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
        measure("stopped although a thread hangs", told_s)


def test_a_silent_peer_loses_its_place(tiny_model: Path, gradient_jpg: bytes, measure: Measure) -> None:
    """A phone that left the network: no farewell, no answer to a ping. One that gives no frame answers it."""
    with started(tiny_model, FER_PING_TIMEOUT_S="0.5") as server, server.stream() as quiet:
        with raw_stream(server) as gone:
            silent_s = time.monotonic()
            assert metric(server, "fer_streams") == 2
            eventually(lambda: metric(server, "fer_streams") == 1)
            measure("a silent peer's place is free, with pings after 0.5 s", silent_s)
            received = b""
            while chunk := gone.recv(65536):
                received += chunk
            assert received.startswith(b"\x89")  # the ping
        assert answer_to(quiet, 1, gradient_jpg)["type"] == "result"


FULL_DISK = (
    'mount -t tmpfs -o size=64k,mode=700 tmpfs "$0" && cp -p "$1" "$0"/devices.json && shift && exec "$@"'
)


def test_a_full_disk_refuses_pairing_and_serves_on(
    tiny_model: Path, hopper_jpg: bytes, tmp_path: Path, measure: Measure
) -> None:
    """A file system of 64 kB, mounted where only this gateway sees it, and filled to the last byte."""
    made, small = tmp_path / "made.json", tmp_path / "small"
    small.mkdir()
    _, code = DeviceFile(made).open_pairing(("analyze",), 30)
    prefix = ["unshare", "--map-root-user", "--mount", "sh", "-c", FULL_DISK, str(small), str(made)]
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    prefix += ["sh", "-c", f'cat /dev/zero > {small}/rest; exec "$@"', "sh"]
    with started(tiny_model, prefix, FER_DEVICES=str(small / "devices.json")) as server:
        asked_s = time.monotonic()
        body = {"code": code, "name": "phone"}
        refused = httpx.post(f"{server.url}/api/v1/pair", json=body, timeout=PATIENCE_S)
        measure("told that the disk is full", asked_s)
        problem = problem_of(refused, 503, "devices_unavailable")
        assert "disk" in problem["detail"] or "room" in problem["detail"] or "log" in problem["detail"]
        with server.stream() as stream:
            assert answer_to(stream, 1, hopper_jpg)["type"] == "result"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no `/dev/full` here")
def test_a_log_on_a_full_disk_stops_nothing(tiny_model: Path, hopper_jpg: bytes) -> None:
    prefix = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"]
    with started(tiny_model, prefix, FER_LOG_LEVEL="debug", FER_LOG_FORMAT="json") as server:
        assert [post(server, hopper_jpg).status_code for _ in range(3)] == [200] * 3
        assert post(server, b"text").status_code == 415


JUMPS = (
    ("+0", "scope_missing"),
    ("+3650d", "token_expired"),
    ("-3650d", "scope_missing"),
    ("+0", "scope_missing"),
)
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


@pytest.mark.slow
@pytest.mark.skipif(FAKETIME is None, reason="no `faketime` here, which makes a clock jump")
def test_the_clock_of_the_machine_jumps(tiny_model: Path, hopper_jpg: bytes, tmp_path: Path) -> None:
    """By ten years, while a stream runs: it goes on. Tokens expire by the clock, also by a wrong one."""
    headers = token_for(DeviceFile(tmp_path / "devices.json"), "analyze")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    variables = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # no clock of this kind jumps
        "FER_DEVICES": str(tmp_path / "devices.json"),
    }
    with (
        started(tiny_model, **variables) as server,
        server.stream() as stream,
        httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client,
    ):
        uptimes_s = []
        for number, (jump, code) in enumerate(JUMPS):
            clock.write_text(jump)
            refused = client.get("/api/v1/devices", headers=headers)  # for admins
            assert refused.json()["code"] == code, jump
            assert answer_to(stream, number, hopper_jpg)["type"] == "result"
            assert client.post("/api/v1/analyze", content=hopper_jpg).status_code == 200
            uptimes_s.append(client.get("/api/v1/health").json()["uptime_s"])
        assert sorted(uptimes_s) == uptimes_s
        assert uptimes_s[-1] < 3600


def test_every_test_in_the_table_of_faults_exists() -> None:
    """`tests/api/test_faults.py::test_name`; a folder and a file may stand for all their tests."""
    named = re.findall(r"`((?:tests|web)/[\w/.-]+?)(?:::(\w+))?`", FAULTS.read_text("utf-8"))
    assert len(named) > 20
    for file, test in named:
        assert (ROOT / file).exists(), file
        if test:
            assert re.search(rf"^(?:async )?def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), (
                test
            )


def test_every_test_here_is_in_the_table_of_faults() -> None:
    here = set(re.findall(r"^def (test_\w+)\(", Path(__file__).read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"::(test_\w+)`", FAULTS.read_text("utf-8")))
    assert {name for name in here - named if "in_the_table" not in name} == set()
