"""The page about trust, over plain HTTP beside the gateway: the authority, and how to install it.

A device that does not trust the gateway yet can open nothing else without a warning. Nothing secret is here.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from socket import socket

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fer_gateway.api.lan_pages import CHECK, read, shared_pages
from fer_gateway.api.pages import HTML, page_routes
from fer_gateway.api.patience import PatientProtocol
from fer_gateway.api.security import CONTENT_SECURITY_POLICY, HostGuard, SecurityHeaders, parse_authority

AUTHORITY = "/ca.crt"
AUTHORITY_FILE = "fer-gateway-ca.crt"
AUTHORITY_TYPE = "application/x-x509-ca-cert"
"""What iPhones take for a certificate to install."""
MAX_CONNECTIONS = 32
HEADERS_WITHIN_S = 10.0


def trust_app(
    *, authority_pem: bytes, fingerprint: str, authority_name: str, https_port: int, hosts: tuple[str, ...]
) -> Starlette:
    """The application of the page: certificate, instructions, and a check whether they were followed."""
    page = read(
        "trust.html",
        HTML,
        {"fingerprint": escape(fingerprint), "authority": escape(authority_name), "file": AUTHORITY_FILE},
    ).content.decode()

    async def show(request: Request) -> Response:
        host = parse_authority(request.headers["host"]).host
        origin = f"https://{f'[{host}]' if ':' in host else host}:{https_port}"
        policy = CONTENT_SECURITY_POLICY.replace("connect-src 'self'", f"connect-src {origin}")
        return HTMLResponse(
            page.replace("{{origin}}", escape(origin)).replace("{{check}}", CHECK),
            headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"},
        )

    async def give_authority(_: Request) -> Response:
        headers = {
            "Content-Disposition": f'attachment; filename="{AUTHORITY_FILE}"',
            "Cache-Control": "no-store",
        }
        return Response(authority_pem, headers=headers, media_type=AUTHORITY_TYPE)

    return Starlette(
        routes=[
            Route("/", show),
            Route(AUTHORITY, give_authority),
            *page_routes(shared_pages("trust.js")),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(HostGuard, hosts)],
    )


@contextmanager
def served_beside(app: Starlette, listener: socket) -> Iterator[None]:
    """Serve `app` in a thread of its own for the time of the block."""
    config = uvicorn.Config(
        app,
        http=partial(PatientProtocol, header_timeout_s=HEADERS_WITHIN_S, send_timeout_s=HEADERS_WITHIN_S),  # type: ignore[arg-type]
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="trust", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
