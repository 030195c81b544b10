"""Pairing over HTTP: a code becomes a token once; devices are listed and revoked by those who may."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from fer_gateway.api.devices import stays_here
from fer_gateway.lan.devices import DEFAULT_SCOPES, SCOPES, Book, DeviceFile

from .harness import Running, Start, problem_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "devices.json"


@pytest.fixture
def devices(path: Path) -> DeviceFile:
    return DeviceFile(path)


@pytest.fixture
def open_here(start: Start, path: Path) -> Running:
    """A gateway on loopback, which asks for tokens only where it must."""
    return start(devices=path)


@pytest.fixture
def guarded(start: Start, path: Path) -> Running:
    return start(host="0.0.0.0", devices=path)


def send(gateway: Running, method: str, path: str, token: str = "", body: object = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{gateway.url}/api/v1{path}"
    return httpx.request(method, url, headers=headers, content=json.dumps(body), timeout=30)


def pair(gateway: Running, code: str, name: str = "phone") -> httpx.Response:
    return send(gateway, "POST", "/pair", body={"code": code, "name": name})


def test_a_code_becomes_a_token(guarded: Running, devices: DeviceFile) -> None:
    code = devices.open_pairing(DEFAULT_SCOPES, 30)[1]
    answer = pair(guarded, code)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    paired = answer.json()
    assert paired["device"]["name"] == "phone"
    assert paired["device"]["scopes"] == list(DEFAULT_SCOPES)
    days = (datetime.fromisoformat(paired["device"]["expires"]) - datetime.now(UTC)).days
    assert days in (29, 30)
    assert send(guarded, "GET", "/model", paired["token"]).status_code == 200
    problem_of(pair(guarded, code), 403, "pairing_refused")


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_a_code_as_people_type_it(guarded: Running, devices: DeviceFile, typed: Any) -> None:
    code = devices.open_pairing(DEFAULT_SCOPES, 1)[1]
    assert pair(guarded, typed(code)).status_code == 201


def test_a_code_that_is_too_old(guarded: Running, devices: DeviceFile, path: Path) -> None:
    code = devices.open_pairing(DEFAULT_SCOPES, 1)[1]
    book = Book.model_validate_json(path.read_bytes())
    old = book.codes[0].model_copy(update={"expires": datetime.now(UTC) - timedelta(seconds=1)})
    path.write_text(book.model_copy(update={"codes": (old,)}).model_dump_json(), "utf-8")
    problem_of(pair(guarded, code), 403, "pairing_refused")


def test_guessing_ends_after_a_few_tries(guarded: Running, devices: DeviceFile) -> None:
    code = devices.open_pairing(DEFAULT_SCOPES, 1)[1]
    codes = [pair(guarded, f"0000-0000-000{digit}").json()["code"] for digit in range(6)]
    assert codes[:5] == ["pairing_refused"] * 5
    assert codes[5] == "rate_limited"
    refused = pair(guarded, code)
    problem = problem_of(refused, 429, "rate_limited")
    assert refused.headers["retry-after"] == str(problem["retry_after_s"])
    assert 0 < problem["retry_after_s"] <= 12


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "code"),
        ({"code": "x", "name": ""}, "name"),
        ({"code": "x", "name": "n" * 65}, "name"),
        ({"code": "x", "name": "\x1b[2Jphone"}, "name"),
        ({"code": "x", "name": "\u202eenohp"}, "name"),
        ({"code": "x" * 65, "name": "n"}, "code"),
        ({"code": 7, "name": "n"}, "code"),
        ([], "body"),
    ],
)
def test_a_body_that_does_not_fit(guarded: Running, body: object, place: str) -> None:
    problem = problem_of(send(guarded, "POST", "/pair", body=body), 422, "invalid_request")
    assert f"`{place}`" in problem["detail"]
    assert "xxx" not in problem["detail"]


def test_a_body_that_is_too_large(guarded: Running) -> None:
    problem_of(send(guarded, "POST", "/pair", body={"code": "x", "name": "n" * 5000}), 413, "body_too_large")


def test_over_plain_http_from_elsewhere(start: Start, path: Path, devices: DeviceFile) -> None:
    """A proxy that is trusted tells of a client in the network, and that it did not come by HTTPS."""
    behind = start(devices=path, trusted_proxies=("127.0.0.1",))
    code = devices.open_pairing(DEFAULT_SCOPES, 1)[1]
    content = json.dumps({"code": code, "name": "phone"})
    far = {"X-Forwarded-For": "192.168.1.30", "X-Forwarded-Proto": "http"}
    url = f"{behind.url}/api/v1/pair"
    problem_of(httpx.post(url, content=content, headers=far, timeout=30), 403, "pairing_refused")
    assert devices.list() == ()
    safe = far | {"X-Forwarded-Proto": "https"}
    assert httpx.post(url, content=content, headers=safe, timeout=30).status_code == 201


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_through_a_proxy_that_nobody_told_of(open_here: Running, devices: DeviceFile, header: str) -> None:
    """It comes from this machine, and how it came there nobody knows."""
    content = json.dumps({"code": devices.open_pairing(SCOPES, 1)[1], "name": "phone"})
    url = f"{open_here.url}/api/v1/pair"
    answer = httpx.post(url, content=content, headers={header: "203.0.113.7"}, timeout=30)
    problem_of(answer, 403, "pairing_refused")
    assert devices.list() == ()


@pytest.mark.parametrize(
    ("address", "host", "forwarded", "stays"),
    [
        ("127.0.0.1", "gateway.lan:8000", False, True),
        ("::1", "localhost", False, True),
        ("172.17.0.1", "localhost:8000", False, True),  # the published port of a container
        ("172.17.0.1", "172.17.0.2:8000", False, False),
        ("192.168.1.30", "gateway.lan", False, False),
        ("127.0.0.1", "localhost", True, False),
        ("172.17.0.1", "localhost", True, False),
    ],
)
def test_what_crosses_no_network(address: str, host: str, *, forwarded: bool, stays: bool) -> None:
    headers = [(b"host", host.encode()), *([(b"x-forwarded-for", b"203.0.113.7")] if forwarded else [])]
    assert stays_here(Request({"type": "http", "client": (address, 1), "headers": headers})) is stays


def test_pages_of_other_sites_cannot_pair(guarded: Running, devices: DeviceFile) -> None:
    content = json.dumps({"code": devices.open_pairing(DEFAULT_SCOPES, 1)[1], "name": "phone"})
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    answer = httpx.post(f"{guarded.url}/api/v1/pair", content=content, headers=headers, timeout=30)
    problem_of(answer, 403, "origin_not_allowed")


@pytest.mark.parametrize(
    ("method", "where"), [("GET", "/devices"), ("DELETE", "/devices/01234567"), ("POST", "/devices/codes")]
)
def test_devices_need_a_token_on_this_machine_too(
    open_here: Running, devices: DeviceFile, method: str, where: str
) -> None:
    """Any program on a phone reaches localhost."""
    problem_of(send(open_here, method, where, body={}), 401, "token_required")
    token = devices.add("camera", DEFAULT_SCOPES, 1)[1]
    problem_of(send(open_here, method, where, token, body={}), 403, "scope_missing")


def test_an_admin_lists_revokes_and_pairs(open_here: Running, devices: DeviceFile) -> None:
    admin = devices.add("admin", SCOPES, 1)[1]
    made = send(open_here, "POST", "/devices/codes", admin, {"scopes": ["stream"]})
    assert made.status_code == 201
    assert made.json()["url"] == f"{open_here.url}/pair#{made.json()['code']}".replace(
        "127.0.0.1", "localhost"
    )
    assert made.json()["qr"].startswith("data:image/svg+xml")
    phone = pair(open_here, made.json()["code"]).json()
    listed = send(open_here, "GET", "/devices", admin).json()["devices"]
    assert [(device["name"], device["scopes"]) for device in listed] == [
        ("admin", list(SCOPES)),
        ("phone", ["stream"]),
    ]
    assert not [key for device in listed for key in device if "token" in key]
    assert send(open_here, "DELETE", f"/devices/{phone['device']['id']}", admin).status_code == 204
    assert len(send(open_here, "GET", "/devices", admin).json()["devices"]) == 1
    gone = send(open_here, "DELETE", f"/devices/{phone['device']['id']}", admin)
    problem_of(gone, 404, "unknown_device")


def test_a_code_made_by_name_is_for_that_name(guarded: Running, devices: DeviceFile, start: Start) -> None:
    headers = {"Authorization": f"Bearer {devices.add('admin', SCOPES, 1)[1]}"}
    url = f"http://localhost:{guarded.port}/api/v1/devices/codes"
    made = httpx.post(url, content="{}", headers=headers | {"Host": f"127.0.0.1:{guarded.port}"}, timeout=30)
    assert "/pair#" in made.json()["url"]
    problem_of(httpx.post(url, content="[]", headers=headers, timeout=30), 422, "invalid_request")


def test_secrets_are_kept_as_hashes_only(guarded: Running, devices: DeviceFile, path: Path) -> None:
    code = devices.open_pairing(DEFAULT_SCOPES, 1)[1]
    assert code not in path.read_text("utf-8")
    token = pair(guarded, code).json()["token"]
    assert token not in path.read_text("utf-8")
    assert token.removeprefix("fer_") not in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_are_in_no_log(
    start: Start, path: Path, devices: DeviceFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = start(host="0.0.0.0", devices=path, log_level="debug")
    code = devices.open_pairing(DEFAULT_SCOPES, 1)[1]
    token = pair(gateway, code).json()["token"]
    send(gateway, "GET", "/model", token)
    send(gateway, "GET", "/model", token + "x")
    pair(gateway, code)
    assert caplog.records
    assert token not in caplog.text
    assert code not in caplog.text


def test_a_damaged_file_lets_nobody_in(
    guarded: Running, devices: DeviceFile, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = devices.add("phone", DEFAULT_SCOPES, 1)[1]
    assert send(guarded, "GET", "/model", token).status_code == 200
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    problem = problem_of(send(guarded, "GET", "/model", token), 503, "devices_unavailable")
    assert str(path) not in problem["detail"]
    assert str(path) in caplog.text
    problem_of(pair(guarded, "0000-0000-0000"), 503, "devices_unavailable")
    path.write_bytes(whole)
    assert send(guarded, "GET", "/model", token).status_code == 200


def test_a_file_that_others_can_change_lets_nobody_in(
    guarded: Running, devices: DeviceFile, path: Path
) -> None:
    token = devices.add("phone", DEFAULT_SCOPES, 1)[1]
    path.chmod(0o666)
    problem_of(send(guarded, "GET", "/model", token), 503, "devices_unavailable")
    path.chmod(0o600)
    assert send(guarded, "GET", "/model", token).status_code == 200
