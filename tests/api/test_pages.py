"""The files that browsers get."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from fer_gateway.api import pages
from fer_gateway.api.pages import Page, page_routes, web_pages

from .harness import Running, Start, problem_of

FILES = {
    "index.html": "<!doctype html>",
    "app.js": "export {};",
    "style.css": "body {}",
    "manifest.webmanifest": "{}",
    "service-worker.js": "importScripts('/precache.js');",
    "icons/icon.svg": "<svg/>",
    "screenshots/live.webp": "",
    "notes.md": "not for browsers",
    "tool.py": "print()",
}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "web" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "web"


def ask(found: dict[str, Page], path: str, *, method: str = "GET", known: str = "") -> httpx.Response:
    """The answer of an application that has only these pages."""
    app = Starlette(routes=page_routes(found))

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            return await client.request(method, path, headers={"If-None-Match": known} if known else {})

    return anyio.run(send)


def precache_of(found: dict[str, Page]) -> dict[str, Any]:
    script = found["/precache.js"].content.decode()
    match = re.fullmatch(r"self\.PRECACHE = (.*);\n", script)
    assert match is not None
    precache: dict[str, Any] = json.loads(match[1])
    return precache


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/service-worker.js", "text/javascript; charset=utf-8"),
        ("/precache.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/icons/icon.svg", "image/svg+xml"),
    ],
)
def test_files_and_their_types(web: Path, path: str, media_type: str) -> None:
    found = web_pages(web)
    response = ask(found, path)
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["cache-control"] == "no-cache"
    head = ask(found, path, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(response.content))


def test_what_is_known_is_not_sent_again(web: Path) -> None:
    found = web_pages(web)
    tag = ask(found, "/app.js").headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for known in (tag, f'"other", {tag}', f"W/{tag}"):
        again = ask(found, "/app.js", known=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert ask(found, "/app.js", known='"other"').status_code == 200


def test_only_files_for_browsers_are_served(web: Path) -> None:
    shown = {f"/{name}" for name in FILES} - {"/index.html", "/notes.md", "/tool.py"}
    assert set(web_pages(web)) == shown | {"/", "/precache.js"}


def test_the_precache_list(web: Path) -> None:
    precache = precache_of(web_pages(web))
    assert precache["urls"] == ["/", "/app.js", "/icons/icon.svg", "/manifest.webmanifest", "/style.css"]
    assert precache == precache_of(web_pages(web))
    for changed in ("app.js", "service-worker.js"):
        (web / changed).write_text("changed")
        newer = precache_of(web_pages(web))
        assert newer["version"] != precache["version"]
        precache = newer


@pytest.mark.parametrize(
    "path",
    [
        "/../README.md", "/%2e%2e/README.md", "/..%2fREADME.md", "/icons/../../README.md", "//README.md",
        "/....//README.md", "/index.html", "/icons", "/icons/", "/app.js/", "/APP.JS", "/app.js%00",
    ],
)  # fmt: skip
def test_no_other_path_exists(gateway: Running, path: str) -> None:
    """Sent by hand: HTTP clients tidy paths up."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in answer


def test_what_is_shared_before_the_service_worker_runs_leads_to_the_page(client: httpx.Client) -> None:
    manifest = client.get("/manifest.webmanifest").json()["share_target"]
    name = manifest["params"]["files"][0]["name"]
    answer = client.post(manifest["action"], files={name: ("face.jpg", b"a photo", "image/jpeg")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/#files/shared")
    assert client.post(manifest["action"], headers={"Origin": "https://evil.example"}).status_code == 403
    problem_of(client.get(manifest["action"]), 405, "method_not_allowed")


def test_a_missing_web_app_is_said(
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pages, "PACKAGE", tmp_path / "server" / "fer_gateway")
    with httpx.Client(base_url=start().url) as client:
        assert "web app is not installed" in problem_of(client.get("/"), 404, "not_found")["detail"]
        assert client.get("/api/v1/ready").status_code == 200
    assert "web app is not installed" in caplog.text


def test_the_documentation_is_all_here(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(linked) == 4
    assert all(link.startswith("/docs/") for link in linked)
    assert all(client.get(link).status_code == 200 for link in linked)
    assert "<script>" not in page.text
    assert "style=" not in page.text
