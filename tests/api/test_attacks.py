"""Clients that mean harm, by hand over sockets: slow ones, endless headers, too many connections at once."""

import asyncio
import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fer_gateway.api import patience
from fer_gateway.api.patience import PatientLoop
from fer_gateway.commands.listeners import MAX_OPEN, listening_socket

from .harness import Running, Start
from .test_endurance import started
from .test_stream import ending, greeted, opened


@pytest.fixture(scope="module")
def hasty(start: Start) -> Running:
    """A gateway that waits for half a second."""
    return start(receive_timeout_s=0.5)


@contextlib.contextmanager
def connected(gateway: Running, *parts: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize("start_of_request", [b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_headers_that_never_end_are_cut_off(hasty: Running, start_of_request: bytes) -> None:
    with connected(hasty, start_of_request) as connection:
        assert rest_of(connection) == b""


def test_a_byte_now_and_then_does_not_help(hasty: Running) -> None:
    with connected(hasty, b"GET / HTTP/1.1\r\n") as connection:
        for _ in range(600):
            try:
                connection.sendall(b"x")
            except OSError:
                return
            time.sleep(0.1)
    pytest.fail("it still waits")


def test_headers_that_never_end_after_a_request_are_cut_off_too(hasty: Running) -> None:
    request = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(hasty, request) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        with contextlib.suppress(OSError):  # under load its time may be over before the second one comes
            connection.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        assert b"HTTP/1.1" not in rest_of(connection)


def test_who_takes_time_within_limits_is_served(start: Start, gradient_jpg: bytes) -> None:
    patient = start(receive_timeout_s=60.0)
    head = (
        "POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Length: {len(gradient_jpg)}\r\n\r\n"
    )
    body = [gradient_jpg[start : start + 2000] for start in range(0, len(gradient_jpg), 2000)]
    with connected(patient) as connection:
        for part in (head[:20].encode(), head[20:].encode(), *body):
            connection.sendall(part)
            time.sleep(0.05)
        assert rest_of(connection).startswith(b"HTTP/1.1 200")


def test_a_body_that_never_ends_is_a_timeout(hasty: Running) -> None:
    head = b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc"
    with connected(hasty, head) as connection:
        answer = rest_of(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"request_timeout"' in answer


@pytest.mark.parametrize(
    "flood",
    [
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(20_000)),
        b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000,
        b"GET /" + b"x" * 300_000,
        b"x" * 300_000,
    ],
    ids=["many", "long", "path", "noise"],
)
def test_floods_of_headers_are_refused(gateway: Running, flood: bytes) -> None:
    with connected(gateway) as connection:
        with contextlib.suppress(OSError):  # it may hang up before all is sent
            connection.sendall(flood)
        answer = rest_of(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{gateway.url}/api/v1/health", timeout=60).status_code == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="counts files of a process on Unix")
def test_idle_connections_do_not_lock_others_out(tiny_model: Path) -> None:
    """More than the gateway keeps open: each is let go when its time is over."""
    with started(tiny_model, FER_RECEIVE_TIMEOUT_S="2") as server, contextlib.ExitStack() as stack:
        for _ in range(600):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(60)
            connection.connect(("127.0.0.1", server.port))
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{server.url}/api/v1/health", timeout=60).status_code == 200:
                    return
            time.sleep(0.2)
        pytest.fail("nobody is served any more")


ANSWERS = 8
BIG = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_who_does_not_read_is_cut_off(start: Start) -> None:
    """More is asked for than the buffers between the two hold, and nothing is taken."""
    strict = start(send_timeout_s=0.5)
    with connected(strict, BIG * ANSWERS):
        until(lambda: len(strict.server.server_state.connections) == 1)
        until(lambda: not strict.server.server_state.connections)


def test_who_reads_slowly_gets_it_all(start: Start) -> None:
    strict = start(send_timeout_s=0.5)
    whole = len(httpx.get(f"{strict.url}/docs/swagger-ui-bundle.js", timeout=60).content)
    with connected(strict, BIG * ANSWERS) as connection:
        received, began_s = 0, time.monotonic()
        while received < ANSWERS * whole:
            part = connection.recv(1 << 17)
            assert part, f"cut off after {received} bytes"
            received += len(part)
            time.sleep(0.01)
    assert time.monotonic() - began_s > 1, "this took longer than a client may take nothing"


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_connections_without_a_request_are_limited() -> None:
    with listening_socket("127.0.0.1", 0) as listener, contextlib.ExitStack() as stack:
        accepted = []
        for _ in range(MAX_OPEN):
            stack.enter_context(socket.create_connection(listener.getsockname()))
            accepted.append(stack.enter_context(listener.accept()[0]))
        with socket.create_connection(listener.getsockname()) as too_many:
            with pytest.raises(ConnectionAbortedError):
                listener.accept()
            too_many.settimeout(10)
            assert too_many.recv(1) == b"", "it is told at once"
        accepted[0].close()
        with socket.create_connection(listener.getsockname()):
            stack.enter_context(listener.accept()[0])


def test_a_handshake_that_does_not_come_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, own_pair: tuple[Path, Path]
) -> None:
    monkeypatch.setattr(patience, "HANDSHAKE_WITHIN_S", 0.3)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*own_pair)
    loop = PatientLoop()
    try:
        server = loop.run_until_complete(loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context))
        with socket.create_connection(server.sockets[0].getsockname()) as silent:
            silent.settimeout(30)
            assert loop.run_until_complete(loop.run_in_executor(None, rest_of, silent)) == b""
        server.close()
    finally:
        loop.close()


def test_too_many_streams_are_told_to_come_back(start: Start) -> None:
    few = start(max_streams=2)
    with greeted(few), greeted(few), opened(few) as third:
        problem, code = ending(third)
    assert (problem["code"], code) == ("busy", 1013)
