"""Tokens over HTTP: who is let in, who is not, and what each is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from fer_gateway.lan.devices import Book, DeviceFile, Scope

from .harness import Running, Start, problem_of


@pytest.fixture
def devices(tmp_path: Path) -> DeviceFile:
    return DeviceFile(tmp_path / "devices.json")


@pytest.fixture
def guarded(start: Start, devices: DeviceFile, tmp_path: Path) -> Running:
    """A gateway that asks everybody for a token, with the file of `devices`."""
    return start(host="0.0.0.0", devices=tmp_path / "devices.json")


def token_for(devices: DeviceFile, *scopes: Scope, days: int = 1) -> dict[str, str]:
    """The header of a new device."""
    return {"Authorization": f"Bearer {devices.add('test', scopes, days)[1]}"}


def get_model(gateway: Running, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"{gateway.url}/api/v1/model", headers=headers, timeout=30)


def test_without_a_token(guarded: Running) -> None:
    response = get_model(guarded)
    problem_of(response, 401, "token_required")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer", "fer_abc"])
def test_with_something_else_than_a_token(guarded: Running, value: str) -> None:
    problem_of(get_model(guarded, {"Authorization": value}), 401, "token_required")


def test_with_a_token_nobody_gave_out(guarded: Running, devices: DeviceFile) -> None:
    good = token_for(devices, "analyze")["Authorization"]
    for wrong in ("Bearer fer_abc", good[:-1], good + "x", good.lower()):
        response = get_model(guarded, {"Authorization": wrong})
        problem_of(response, 401, "token_invalid")
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_with_a_token(guarded: Running, devices: DeviceFile) -> None:
    assert get_model(guarded, token_for(devices, "analyze")).status_code == 200


def test_with_a_revoked_token(guarded: Running, devices: DeviceFile) -> None:
    """The file is changed by another process, as the command line does."""
    headers = token_for(devices, "analyze")
    assert get_model(guarded, headers).status_code == 200
    devices.revoke(devices.list()[0].id)
    problem_of(get_model(guarded, headers), 401, "token_invalid")


def test_with_an_expired_token(guarded: Running, devices: DeviceFile, tmp_path: Path) -> None:
    headers = token_for(devices, "analyze")
    path = tmp_path / "devices.json"
    book = Book.model_validate_json(path.read_bytes())
    expired = book.devices[0].model_copy(update={"expires": datetime.now(UTC) - timedelta(seconds=1)})
    path.write_text(book.model_copy(update={"devices": (expired,)}).model_dump_json(), "utf-8")
    problem_of(get_model(guarded, headers), 401, "token_expired")


def test_with_a_token_for_something_else(guarded: Running, devices: DeviceFile) -> None:
    response = get_model(guarded, token_for(devices, "admin"))
    problem_of(response, 403, "scope_missing")
    assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'


def test_two_tokens_are_none(guarded: Running, devices: DeviceFile) -> None:
    value = token_for(devices, "analyze")["Authorization"]
    twice = httpx.Request(
        "GET", f"{guarded.url}/api/v1/model", headers=[("Authorization", value), ("Authorization", value)]
    )
    with httpx.Client(timeout=30) as client:
        problem_of(client.send(twice), 401, "token_invalid")


def test_a_token_in_an_address_is_none(guarded: Running, devices: DeviceFile) -> None:
    """Addresses end up in logs and histories."""
    token = devices.add("app", ("analyze",), 1)[1]
    for name in ("token", "access_token"):
        answer = httpx.get(f"{guarded.url}/api/v1/model", params={name: token}, timeout=30)
        problem_of(answer, 401, "token_required")


def test_pages_of_trusted_sites_may_send_tokens(start: Start, devices: DeviceFile, tmp_path: Path) -> None:
    site = "https://app.example.org"
    gateway = start(host="0.0.0.0", devices=tmp_path / "devices.json", allowed_origins=(site,))
    asked = {
        "Origin": site,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    allowed = httpx.options(f"{gateway.url}/api/v1/model", headers=asked, timeout=30)
    assert allowed.status_code == 200
    assert "authorization" in allowed.headers["access-control-allow-headers"].lower()
    answer = get_model(gateway, token_for(devices, "analyze") | {"Origin": site})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, site)
    stranger = httpx.options(
        f"{gateway.url}/api/v1/model", headers=asked | {"Origin": "https://evil.example"}, timeout=30
    )
    assert "access-control-allow-origin" not in stranger.headers


def test_this_machine_needs_none(gateway: Running) -> None:
    assert get_model(gateway).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP"])
def test_what_came_through_a_proxy_is_not_this_machine(gateway: Running, header: str) -> None:
    """Also where the header is forged: nobody gains anything by it."""
    problem_of(get_model(gateway, {header: "127.0.0.1"}), 401, "token_required")


OPEN = {("get", "/api/v1/health"), ("get", "/api/v1/ready"), ("post", "/api/v1/pair")}
"""What needs no token anywhere: probes, and the way to a token."""


def test_every_other_route_asks_for_a_token(guarded: Running, start: Start) -> None:
    """Also those that are yet to be written."""
    described = httpx.get(f"{guarded.url}/api/v1/openapi.json", timeout=30).json()["paths"]
    routes = {(method, path) for path, operations in described.items() for method in operations}
    assert routes >= OPEN
    answers = {
        (method, path): httpx.request(
            method, f"{guarded.url}{path.replace('{device_id}', '01234567')}", content=b"{}", timeout=30
        )
        for method, path in routes - OPEN
    }
    assert {route: answer.status_code for route, answer in answers.items()} == dict.fromkeys(answers, 401)
    for answer in answers.values():
        problem_of(answer, 401, "token_required")


@pytest.mark.parametrize("path", ["/", "/app.js", "/docs", "/pair", "/devices", "/lan/pages.css"])
def test_pages_need_none(guarded: Running, path: str) -> None:
    """They hold nothing of anybody; without them nobody could pair."""
    assert httpx.get(f"{guarded.url}{path}", timeout=30).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/ready"])
def test_probes_need_none_and_hear_little(guarded: Running, devices: DeviceFile, path: str) -> None:
    heard = httpx.get(f"{guarded.url}{path}", timeout=30).json()
    assert [name for name, value in heard.items() if value is not None] == ["status"]
    told = httpx.get(f"{guarded.url}{path}", headers=token_for(devices, "stream"), timeout=30).json()
    assert len([name for name, value in told.items() if value is not None]) > 1


def test_the_trust_check_answers_pages_of_other_origins(gateway: Running) -> None:
    answer = httpx.get(f"{gateway.url}/lan/check", timeout=30)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_one_device_sends_too_much(start: Start, devices: DeviceFile, tmp_path: Path) -> None:
    gateway = start(host="0.0.0.0", devices=tmp_path / "devices.json", max_requests_per_minute=3)
    eager, calm = (token_for(devices, "analyze") for _ in range(2))
    answers = [get_model(gateway, eager) for _ in range(5)]
    limited = next(answer for answer in answers if answer.status_code == 429)
    problem = problem_of(limited, 429, "rate_limited")
    assert limited.headers["retry-after"] == str(problem["retry_after_s"])
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    assert get_model(gateway, calm).status_code == 200


def statuses_of_wrong_tokens(gateway: Running, forwarded: list[str]) -> set[int]:
    """Send a wrong token for each value of `X-Forwarded-For`."""
    with httpx.Client(timeout=60) as client:
        return {
            client.get(
                f"{gateway.url}/api/v1/model",
                headers={"Authorization": "Bearer fer_wrong", "X-Forwarded-For": value},
            ).status_code
            for value in forwarded
        }


def test_a_forged_address_does_not_reset_the_count(guarded: Running) -> None:
    assert 429 in statuses_of_wrong_tokens(guarded, [f"10.0.0.{number}" for number in range(100)])


def test_clients_of_a_trusted_proxy_are_told_apart(start: Start, tmp_path: Path) -> None:
    """What a client itself has written comes first in the list, and counts for nothing."""
    behind = start(devices=tmp_path / "devices.json", trusted_proxies=("127.0.0.1",))
    forged = [f"10.0.0.{number}, 192.168.1.30" for number in range(100)]
    assert 429 in statuses_of_wrong_tokens(behind, forged)
    assert statuses_of_wrong_tokens(behind, ["192.168.1.31"]) == {401}
