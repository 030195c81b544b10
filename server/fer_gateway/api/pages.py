"""The files that browsers get: web app, precache list, API documentation; all read at start-up."""

import hashlib
import importlib.resources
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fer_gateway.errors import NotFound

PACKAGE = Path(__file__).parents[1]
INDEX = "/index.html"
SERVICE_WORKER = "/service-worker.js"
NOT_KEPT = (SERVICE_WORKER, "/screenshots/")
"""The service worker itself, and what only an installation shows."""
PRECACHE = "/precache.js"
API_URL = "/api/v1/openapi.json"
SHARE = "/share"
"""`share_target` of the web app's manifest."""
SHARED = "/#files/shared"

JAVASCRIPT = "text/javascript; charset=utf-8"
CSS = "text/css; charset=utf-8"
HTML = "text/html; charset=utf-8"
MEDIA_TYPES: Mapping[str, str] = {
    ".css": CSS,
    ".html": HTML,
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": JAVASCRIPT,
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

DOCS_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>fer-gateway API</title>
  <link rel="icon" href="/docs/favicon.png">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
"""
DOCS_SCRIPT = f"""SwaggerUIBundle({{
  url: "{API_URL}",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
}});
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One file as it is sent."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


def page_routes(pages: Mapping[str, Page]) -> list[Route]:
    """One route for each path; a path that is no key of `pages` does not exist."""
    return [
        Route(path, _endpoint(page), methods=["GET", "HEAD"], include_in_schema=False)
        for path, page in pages.items()
    ]


def share_route() -> Route:
    """Where other apps share photos with the page, for browsers whose service worker does not take them yet.

    Nothing is read: the page finds nothing there, and says to share once more.
    """

    async def send_to_page(_: Request) -> Response:
        return RedirectResponse(SHARED, HTTPStatus.SEE_OTHER)

    return Route(SHARE, send_to_page, methods=["POST"], include_in_schema=False)


def find_web() -> Path:
    """The folder of the web app: in the package, else in the checkout around it.

    Raises:
        NotFound: neither holds an `index.html`.
    """
    checkout = PACKAGE.parents[1]
    folders = [PACKAGE / "web"]
    if (checkout / "pyproject.toml").is_file():
        folders.append(checkout / "web")
    for folder in folders:
        if (folder / INDEX[1:]).is_file():
            return folder
    raise NotFound(
        f"The web app is not installed: no `index.html` in `{'`, `'.join(map(str, folders))}`. The API works "
        "without it; to get the page, install `fer-gateway` again."
    )


def web_pages(folder: Path) -> dict[str, Page]:
    """Every file of a known kind in `folder` by its path, `index.html` as `/`; and `/precache.js`."""
    pages = {
        _url(file.relative_to(folder)): Page(file.read_bytes(), MEDIA_TYPES[file.suffix])
        for file in sorted(folder.rglob("*"))
        if file.suffix in MEDIA_TYPES and file.is_file()
    }
    return pages | {PRECACHE: Page(_precache_script(pages).encode(), JAVASCRIPT)}


def docs_pages() -> dict[str, Page]:
    """Swagger UI at `/docs`, from the package that ships it; nothing inline, nothing from elsewhere."""
    shipped = importlib.resources.files("fastapi_swagger") / "resources"
    return {
        "/docs": Page(DOCS_PAGE.encode(), HTML),
        "/docs/start.js": Page(DOCS_SCRIPT.encode(), JAVASCRIPT),
        "/docs/swagger-ui-bundle.js": Page((shipped / "swagger-ui-bundle.js").read_bytes(), JAVASCRIPT),
        "/docs/swagger-ui.css": Page((shipped / "swagger-ui.css").read_bytes(), CSS),
        "/docs/favicon.png": Page((shipped / "favicon-32x32.png").read_bytes(), MEDIA_TYPES[".png"]),
    }


def _url(file: Path) -> str:
    url = f"/{file.as_posix()}"
    return "/" if url == INDEX else url


def _precache_script(pages: Mapping[str, Page]) -> str:
    """What the service worker keeps. The version changes with any file."""
    versions = "\n".join(f"{path} {page.digest}" for path, page in sorted(pages.items()))
    precache = {
        "version": hashlib.sha256(versions.encode()).hexdigest()[:16],
        "urls": sorted(path for path in pages if not path.startswith(NOT_KEPT)),
    }
    return f"self.PRECACHE = {json.dumps(precache)};\n"


def _endpoint(page: Page) -> Callable[[Request], Awaitable[Response]]:
    headers = {"ETag": f'"{page.digest[:32]}"', "Cache-Control": "no-cache"}

    async def send_page(request: Request) -> Response:
        known = request.headers.get("if-none-match", "")
        if headers["ETag"] in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(page.content, headers=headers, media_type=page.media_type)

    return send_page
