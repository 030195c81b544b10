"""Hosts, origins and headers."""

import json
import socket
from typing import Any

import httpx
import pytest

from fer_gateway.api.security import (
    CONTENT_SECURITY_POLICY,
    RESPONSE_HEADERS,
    Authority,
    HostGuard,
    is_same_origin,
    parse_authority,
)
from fer_gateway.settings import Settings

from .harness import Running, Start, problem_of

REBOUND = "rebound.example.com"


def upgrade(port: int, host: str, origin: str | None) -> tuple[int, dict[str, Any] | None]:
    """Ask for the stream by hand; returns the status and the problem in the answer, if it is one."""
    lines = [
        "GET /api/v1/stream HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: fer.v1",
    ]
    if origin is not None:
        lines.append(f"Origin: {origin}")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status == 101:
            return status, None
        while chunk := connection.recv(65536):
            body += chunk
    assert CONTENT_SECURITY_POLICY.encode() in head
    assert b"application/problem+json" in head
    return status, json.loads(body)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1.evil.example"]
)
def test_streams_of_other_sites_are_refused_before_the_upgrade(gateway: Running, origin: str) -> None:
    status, problem = upgrade(gateway.port, f"127.0.0.1:{gateway.port}", origin)
    assert status == 403
    assert problem is not None
    assert problem["code"] == "origin_not_allowed"
    assert f"`{origin}`" in problem["detail"]


def test_streams_of_rebound_names_are_refused_before_the_upgrade(gateway: Running) -> None:
    """The page's own name resolves to this machine, so that its origin and its host agree."""
    status, problem = upgrade(gateway.port, f"{REBOUND}:{gateway.port}", f"http://{REBOUND}:{gateway.port}")
    assert status == 421
    assert problem is not None
    assert problem["code"] == "host_not_allowed"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_streams_of_our_page_are_served(gateway: Running, host: str) -> None:
    authority = f"{host}:{gateway.port}"
    assert upgrade(gateway.port, authority, f"http://{authority}") == (101, None)
    assert upgrade(gateway.port, authority, None) == (101, None)


@pytest.mark.parametrize("path", ["/", "/docs", "/api/v1/model", "/api/v1/openapi.json", "/nothing"])
def test_rebound_names_get_nothing(client: httpx.Client, path: str) -> None:
    problem_of(client.get(path, headers={"Host": REBOUND}), 421, "host_not_allowed")


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/ready"])
def test_probes_by_any_name_hear_up_or_down_only(client: httpx.Client, path: str) -> None:
    """Load balancers ask by address or by names of their own."""
    told = client.get(path).json()
    heard = client.get(path, headers={"Host": REBOUND}).json()
    assert heard["status"] == told["status"]
    assert all(told.values())
    assert not [value for name, value in heard.items() if name != "status" and value is not None]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8000"])
def test_loopback_hosts_are_served(client: httpx.Client, host: str) -> None:
    assert client.get("/api/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "user@localhost", "localhost/x", "localhost:x", "", "[::1"]
)
def test_strange_hosts_are_not(client: httpx.Client, host: str) -> None:
    problem_of(client.get("/api/v1/model", headers={"Host": host}), 421, "host_not_allowed")


def test_two_hosts_are_refused(gateway: Running) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(64).split()[1] in (b"400", b"421")


def test_posts_of_other_sites_are_refused(client: httpx.Client, astronaut_png: bytes) -> None:
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    response = client.post("/api/v1/analyze", content=astronaut_png, headers=headers)
    problem_of(response, 403, "origin_not_allowed")
    assert "access-control-allow-origin" not in response.headers


def test_posts_of_our_page_are_served(client: httpx.Client, gateway: Running, gradient_jpg: bytes) -> None:
    response = client.post("/api/v1/analyze", content=gradient_jpg, headers={"Origin": gateway.url})
    assert response.status_code == 200


@pytest.mark.parametrize("written", ["https://app.example.org", "https://App.example.org/"])
def test_trusted_sites_and_names(start: Start, gradient_jpg: bytes, written: str) -> None:
    site = "https://app.example.org"  # as browsers say it
    origins = Settings(allowed_origins=(written,)).allowed_origins
    trusting = start(allowed_origins=origins, allowed_hosts=("gateway.example.org",))
    with httpx.Client(base_url=trusting.url, headers={"Host": "gateway.example.org"}) as client:
        preflight = {"Origin": site, "Access-Control-Request-Method": "POST"}
        assert client.options("/api/v1/analyze", headers=preflight).status_code == 200
        answer = client.post("/api/v1/analyze", content=gradient_jpg, headers={"Origin": site})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == site
        other = client.post(
            "/api/v1/analyze", content=gradient_jpg, headers={"Origin": "https://evil.example"}
        )
        problem_of(other, 403, "origin_not_allowed")
    assert upgrade(trusting.port, "localhost", site) == (101, None)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/app.js", "/language/en.json", "/manifest.webmanifest", "/docs", "/docs/start.js",
        "/api/v1/health", "/nothing", "/api/v1/analyze", "/share",
    ],
)  # fmt: skip
def test_every_answer_has_the_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert {name: headers[name] for name in RESPONSE_HEADERS} == RESPONSE_HEADERS
    assert "server" not in headers


def test_refusals_have_the_headers_too(client: httpx.Client) -> None:
    headers = client.get("/", headers={"Host": REBOUND}).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_the_policy_is_strict() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("local_address", "host", "served"),
    [
        ("192.168.1.20", "192.168.1.20:8000", True),
        ("192.168.1.20", "192.168.1.21:8000", False),
        ("::ffff:192.168.1.20", "192.168.1.20", True),
        ("fd00::20", "[fd00::20]:8000", True),
        ("/run/gateway.sock", "gateway.example", False),
        ("testserver", "testserver", False),
    ],
)
def test_the_address_of_the_connection_is_served(local_address: str, host: str, served: bool) -> None:
    """On a wildcard bind nobody lists the addresses that the router gave out today."""
    guard = HostGuard(None, ())  # type: ignore[arg-type]
    assert guard._is_allowed(host, {"server": (local_address, 8000)}) is served


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("localhost", Authority("localhost", None)),
        ("LocalHost:8000", Authority("localhost", 8000)),
        ("[::1]:8000", Authority("::1", 8000)),
        ("10.0.0.1", Authority("10.0.0.1", None)),
    ],
)
def test_parse_authority(value: str, expected: Authority) -> None:
    assert parse_authority(value) == expected


@pytest.mark.parametrize(
    "value",
    ["", ":8000", "a b", " localhost", "localhost ", "a/b", "a?b", "a#b", "u@h", "h:x", "h:99999", "[::1"],
)
def test_what_is_no_authority(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - from the standard library or from us
        parse_authority(value)


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://LOCALHOST:8000", "localhost:8000", True),
        ("http://localhost", "localhost:80", True),
        ("https://gateway.local", "gateway.local", True),
        ("https://gateway.local", "gateway.local:443", True),
        ("https://gateway.local", "gateway.local:80", False),
        ("http://localhost:8000", "localhost:8001", False),
        ("http://localhost:8000", "127.0.0.1:8000", False),
        ("null", "localhost", False),
        ("file://", "localhost", False),
        ("ftp://localhost", "localhost", False),
        ("http://localhost.evil.example", "localhost", False),
        ("http://localhost@evil.example", "localhost", False),
        ("", "localhost", False),
    ],
)
def test_is_same_origin(origin: str, host: str, same: bool) -> None:
    assert is_same_origin(origin, host) is same
