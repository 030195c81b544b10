"""The page about trust: it gives out the authority to anybody, and nothing else."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fer_gateway.api.trust import served_beside, trust_app
from fer_gateway.commands.listeners import listening_socket
from fer_gateway.lan.authority import Authority

HTTPS_PORT = 8443
NAME = "fer-gateway.local"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.open(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def client(authority: Authority) -> Iterator[httpx.Client]:
    app = trust_app(
        authority_pem=authority.pem,
        fingerprint=authority.fingerprint,
        authority_name=authority.name,
        https_port=HTTPS_PORT,
        hosts=("localhost", NAME),
    )
    with (
        listening_socket("127.0.0.1", 0) as listener,
        served_beside(app, listener),
        httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client,
    ):
        yield client


def test_the_authority_is_for_everybody(client: httpx.Client, authority: Authority, tmp_path: Path) -> None:
    answer = client.get("/ca.crt")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    assert answer.headers["content-disposition"] == 'attachment; filename="fer-gateway-ca.crt"'
    assert answer.content == authority.pem
    assert b"PRIVATE" not in answer.content
    (tmp_path / "ca.crt").write_bytes(answer.content)
    assert ssl.create_default_context(cafile=tmp_path / "ca.crt").cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize("host", ["127.0.0.1", NAME, "localhost"])
def test_the_page_leads_to_https_by_the_name_it_came_by(
    client: httpx.Client, authority: Authority, host: str
) -> None:
    answer = client.get("/", headers={"Host": f"{host}:8001"})
    assert f'href="https://{host}:{HTTPS_PORT}/"' in answer.text
    assert authority.fingerprint in answer.text
    assert authority.name in answer.text
    assert "{{" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert f"connect-src https://{host}:{HTTPS_PORT};" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("platform", ["android", "ios", "windows", "macos", "linux", "firefox"])
def test_there_are_steps_for(client: httpx.Client, platform: str) -> None:
    assert f'data-platform="{platform}"' in client.get("/").text


@pytest.mark.parametrize("path", ["/", "/ca.crt", "/lan/pages.css"])
def test_rebound_names_get_nothing(client: httpx.Client, path: str) -> None:
    assert client.get(path, headers={"Host": "rebound.example.com"}).status_code == 421


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/model",
        "/api/v1/health",
        "/docs",
        "/app.js",
        "/authority.pem",
        "/../authority.pem",
        "/%2e%2e/x",
    ],
)
def test_nothing_else_is_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_nothing_can_be_sent(client: httpx.Client) -> None:
    assert client.post("/", content=b"x").status_code == 405


def test_it_loads_what_it_needs(client: httpx.Client) -> None:
    for path in ("/lan/pages.css", "/lan/common.js", "/lan/trust.js"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
