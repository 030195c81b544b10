"""Clients that mean harm, by hand over sockets: slow ones, endless headers, too many connections at once."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

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


def test_too_many_streams_are_told_to_come_back(start: Start) -> None:
    few = start(max_streams=2)
    with greeted(few), greeted(few), opened(few) as third:
        problem, code = ending(third)
    assert (problem["code"], code) == ("busy", 1013)
