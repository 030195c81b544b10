"""The pages for other devices: to pair this one, and to look after all. Plain files, no build."""

from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fer_gateway.api.pages import CSS, HTML, JAVASCRIPT, Page

FOLDER = Path(__file__).parents[1] / "lan" / "pages"
CHECK = "/lan/check"
"""What the page about trust tries to load over HTTPS."""


def lan_pages() -> dict[str, Page]:
    """The pages of the gateway itself, and what they load, by their paths."""
    return {
        "/pair": read("pair.html", HTML),
        "/devices": read("devices.html", HTML),
        **shared_pages("pair.js", "devices.js"),
    }


def shared_pages(*scripts: str) -> dict[str, Page]:
    """The style sheet of all these pages, and some of their scripts."""
    return {
        "/lan/pages.css": read("pages.css", CSS),
        **{f"/lan/{name}": read(name, JAVASCRIPT) for name in ("common.js", *scripts)},
    }


def read(name: str, media_type: str, values: Mapping[str, str] | None = None) -> Page:
    """One file, with `{{name}}` replaced by values that are safe in HTML already."""
    text = (FOLDER / name).read_text("utf-8")
    for key, value in (values or {}).items():
        text = text.replace(f"{{{{{key}}}}}", value)
    return Page(text.encode(), media_type)


def check_route() -> Route:
    """Answers nothing, to anybody who trusted the certificate on the way; pages of other origins may ask."""

    async def check(_: Request) -> Response:
        headers = {"Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-store"}
        return Response(status_code=204, headers=headers)

    return Route(CHECK, check, methods=["GET"], include_in_schema=False)
