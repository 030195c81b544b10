"""A real server process under clients that are hostile, slow, gone, or many."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fer_gateway.api.protocol import Frame

from .harness import problem_of

MIB = 1024 * 1024


@dataclass(frozen=True)
class Server:
    """A server process."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory_bytes(self) -> int:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) * 1024

    @contextmanager
    def stream(self) -> Iterator[ClientConnection]:
        url = f"ws://127.0.0.1:{self.port}/api/v1/stream"
        with connect(url, subprotocols=["fer.v1"], proxy=None) as connection:  # type: ignore[list-item]
            connection.send('{"type":"hello"}')
            answer = json.loads(connection.recv(15))
            if answer["type"] == "error":  # `busy`: the close follows
                connection.recv(15)
            assert answer["type"] == "ready"
            yield connection


@contextmanager
def started(model: Path, prefix: Sequence[str] = (), **variables: str) -> Iterator[Server]:
    """A gateway with this model; `prefix` is a command that runs it, as `env` does."""
    environment = os.environ | {"FER_MODEL": str(model), "FER_WORKERS": "2", "FER_PORT": "0"} | variables
    command = [*prefix, sys.executable, "-m", "fer_gateway", "serve"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    try:
        greeting = process.stdout.readline()
        server = Server(process, int(greeting.rsplit(":", 1)[1]))
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.stdout.close()


@pytest.fixture(scope="module")
def server(tiny_model: Path) -> Iterator[Server]:
    with started(tiny_model) as server:
        yield server


linux_only = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")


@linux_only
@pytest.mark.slow
def test_bad_requests_leave_no_memory_behind(server: Server, hopper_jpg: bytes) -> None:
    """Bodies of a mebibyte, so that one of eight kept would show."""
    small = [b"text" * (MIB // 4), hopper_jpg[:20_000] + bytes(MIB), b"\x89PNG\r\n\x1a\n" + bytes(MIB), b""]
    large = [bytes(30 * MIB)]
    statuses = set()

    def post(bodies: list[bytes], times: int) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for body in bodies * times:
                statuses.add(client.post("/api/v1/analyze", content=body).status_code)
                statuses.add(client.post("/api/v1/analyze", files={"file": ("x", body)}).status_code)

    post([*small, *large, hopper_jpg], times=3)
    before = server.memory_bytes
    post(small, times=32)
    post(large, times=2)
    growth = server.memory_bytes - before
    assert statuses == {200, 400, 413, 415, 422}
    assert growth < 16 * MIB, f"{growth / MIB:.1f} MiB after 260 requests"


@linux_only
def test_a_large_body_is_not_collected(server: Server) -> None:
    """Four bodies of 64 MiB without an announced length, at once."""
    answers: list[int] = []

    def post() -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(256):
                yield bytes(MIB // 4)

        answers.append(httpx.post(f"{server.url}/api/v1/analyze", content=chunks(), timeout=120).status_code)

    post()  # what the first such request leaves for all later ones is not what this measures
    before = highest = server.memory_bytes
    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        highest = max(highest, server.memory_bytes)
        time.sleep(0.05)
    assert answers == [413] * 5
    growth = highest - before
    assert growth < 4 * 12 * MIB, f"{growth / MIB:.1f} MiB for four bodies"


@linux_only
def test_clients_that_vanish_leave_nothing_behind(server: Server, hopper_jpg: bytes) -> None:
    """In the middle of a frame, of a body, or of an analysis; their places must come free again."""

    def vanish_in_mid_frame() -> None:
        with raw_stream(server) as connection:
            connection.sendall(raw_message(0x2, Frame(1, 0.0, hopper_jpg).pack())[:1000])
            reset(connection)

    def vanish_while_analysed() -> None:
        with raw_stream(server) as connection:
            for sequence in range(2):
                connection.sendall(raw_message(0x2, Frame(sequence, 0.0, hopper_jpg).pack()))
            reset(connection)

    def vanish_in_mid_body() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(
                b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n"
                + bytes(5000)
            )
            reset(connection)

    def everyone(times: int) -> None:
        for vanish in (vanish_in_mid_frame, vanish_while_analysed, vanish_in_mid_body) * times:
            with contextlib.suppress(OSError):
                vanish()

    everyone(4)
    before = server.memory_bytes
    everyone(12)
    wait_for_all_places(server)
    assert server.memory_bytes - before < 10 * MIB
    assert httpx.post(f"{server.url}/api/v1/analyze", content=hopper_jpg, timeout=30).status_code == 200


def wait_for_all_places(server: Server) -> None:
    """Until eight streams can be open at once; frames of clients that left may still be analysed."""
    for _ in range(60):
        with contextlib.suppress(ConnectionClosed), contextlib.ExitStack() as stack:
            for _ in range(8):
                stack.enter_context(server.stream())
            return
        time.sleep(0.5)
    pytest.fail("places of streams are lost")


@contextmanager
def raw_stream(server: Server) -> Iterator[socket.socket]:
    """A stream without a WebSocket library, which would say goodbye and read on its own."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(
            b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Protocol: fer.v1\r\n\r\n"
        )
        receive(connection, b"\r\n\r\n")
        connection.sendall(raw_message(0x1, b'{"type":"hello"}'))
        receive(connection, b'"window":')
        yield connection


def receive(connection: socket.socket, wanted: bytes) -> None:
    """Read until this has come."""
    received = b""
    while wanted not in received:
        chunk = connection.recv(65536)
        assert chunk, received
        received += chunk


def raw_message(opcode: int, payload: bytes) -> bytes:
    """A final WebSocket frame of a client, masked with zeros (RFC 6455, section 5.2)."""
    if len(payload) < 126:
        length = bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        length = bytes([0xFE]) + len(payload).to_bytes(2, "big")
    else:
        length = bytes([0xFF]) + len(payload).to_bytes(8, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def reset(connection: socket.socket) -> None:
    """Close without a farewell: the other side gets a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (1).to_bytes(4, "little") + bytes(4))
    connection.close()


def test_two_clients_at_once(server: Server, hopper_jpg: bytes, astronaut_png: bytes) -> None:
    """Each gets the answers to its own pictures."""
    failures: list[str] = []

    def stream() -> None:
        with server.stream() as connection:
            for sequence in range(8):
                connection.send(Frame(sequence, 0.0, hopper_jpg).pack())
                result = json.loads(connection.recv(30))
                if (result["seq"], result["height"], len(result["faces"])) != (sequence, 600, 1):
                    failures.append(f"stream: {result}")

    def post() -> None:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            for _ in range(8):
                result = client.post("/api/v1/analyze", content=astronaut_png).json()
                if (result["image"]["height"], len(result["faces"])) != (512, 1):
                    failures.append(f"post: {result}")

    run_together(stream, post)
    assert failures == []


def run_together(*functions: Callable[[], None]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_too_many_pictures_at_once_are_told_to_come_back(tiny_model: Path) -> None:
    with started(tiny_model, FER_MAX_WAITING="2") as server, contextlib.ExitStack() as stack:
        for _ in range(2):  # two bodies that never end
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            connection.sendall(
                b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc"
            )
        for _ in range(200):  # until both have arrived; a post instead could take the place of one
            if "fer_pictures_waiting 2.0" in httpx.get(f"{server.url}/metrics").text:
                break
            time.sleep(0.1)
        refused = httpx.post(f"{server.url}/api/v1/analyze", content=b"abc")
        problem_of(refused, 503, "busy")
        assert refused.headers["retry-after"] == "1"
        assert httpx.get(f"{server.url}/api/v1/health").status_code == 200


def test_a_client_that_never_reads_is_let_go(tiny_model: Path, gradient_jpg: bytes) -> None:
    """Pongs fill its socket, a result finds no room: its place comes free although it stays connected."""
    with (
        started(tiny_model, FER_SEND_TIMEOUT_S="0.5", FER_MAX_STREAMS="1") as server,
        raw_stream(server) as deaf,
    ):
        deaf.sendall(raw_message(0x9, bytes(125)) * 60_000)
        with pytest.raises(ConnectionClosed), server.stream():
            pytest.fail("its place was free before it got a result")
        deaf.sendall(raw_message(0x2, Frame(1, 0.0, gradient_jpg).pack()))
        for _ in range(50):
            time.sleep(0.2)
            with contextlib.suppress(ConnectionClosed), server.stream() as connection:
                connection.send(Frame(1, 0.0, gradient_jpg).pack())
                assert json.loads(connection.recv(15))["type"] == "result"
                return
        pytest.fail("its place was never free again")


def test_a_huge_message_is_cut_off_at_its_header(server: Server) -> None:
    with raw_stream(server) as connection:
        connection.sendall(b"\x82\xff" + (20 * MIB).to_bytes(8, "big") + bytes(4))
        close = connection.recv(4096)
    assert close[0] == 0x88
    assert int.from_bytes(close[2:4], "big") == 1009


def test_a_stop_closes_streams_in_order(tiny_model: Path, gradient_jpg: bytes) -> None:
    with started(tiny_model) as server, server.stream() as connection:
        connection.send(Frame(1, 0.0, gradient_jpg).pack())
        connection.recv(15)
        server.process.send_signal(signal.SIGTERM)
        assert json.loads(connection.recv(15))["problem"]["code"] == "restarting"
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(15)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert server.process.wait(timeout=20) in (0, -signal.SIGTERM)
