"""The application: everything in this folder put together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from fer_gateway import __version__
from fer_gateway.analyzer import Analyzer
from fer_gateway.api import batch, devices, events, explain, operations, problems
from fer_gateway.api.access import Access
from fer_gateway.api.gateway import Gateway, OpenAnalyzer, open_analyzer
from fer_gateway.api.lan_pages import check_route, lan_pages
from fer_gateway.api.metrics import Meter
from fer_gateway.api.openapi import describe
from fer_gateway.api.pages import API_URL, docs_pages, find_web, page_routes, share_route, web_pages
from fer_gateway.api.routes import router
from fer_gateway.api.security import HostGuard, OriginGuard, SecurityHeaders
from fer_gateway.errors import NotFound
from fer_gateway.settings import Settings

TITLE = "fer-gateway"
DESCRIPTION = """Facial emotion recognition at the edge.

Every error is a problem (RFC 9457, `application/problem+json`); its `code` is stable. Only what is no HTTP
(400), and requests beyond 512 connections (503), are answered in plain text before they get here. Camera
frames go over the WebSocket `/api/v1/stream` (subprotocol `fer.v1`), which this format cannot describe; the
README does.
"""

log = logging.getLogger(__name__)


def create_app(
    settings: Settings, *, analyzer: Analyzer | None = None, open_analyzer: OpenAnalyzer = open_analyzer
) -> FastAPI:
    """The gateway as an ASGI application; without an `analyzer` it opens one when the server starts it.

    A model that cannot serve keeps the server from starting, with the errors of `Analyzer.open`.
    """
    gateway = Gateway(settings, open_analyzer, analyzer)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with gateway.running():
            yield

    app = FastAPI(
        title=TITLE,
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        middleware=_middleware(settings, gateway),
        openapi_url=API_URL,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.gateway = gateway
    app.state.access = Access(settings)
    app.include_router(router)
    app.include_router(batch.router)
    app.include_router(events.router)
    app.include_router(explain.router)
    app.include_router(operations.router)
    app.include_router(devices.router)
    problems.install_handlers(app)
    _add_pages(app)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def _middleware(settings: Settings, gateway: Gateway) -> list[Middleware]:
    """Outermost first: even a refusal carries the security headers."""
    chain = [
        Middleware(Meter, gateway.metrics),
        Middleware(SecurityHeaders),
        Middleware(HostGuard, settings.served_hosts),
        Middleware(OriginGuard, settings.allowed_origins),
    ]
    if settings.allowed_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type"),
        )
        chain.append(cors)
    return [*chain, Middleware(problems.ErrorBoundary)]


def _add_pages(app: FastAPI) -> None:
    try:
        app.router.routes.extend([*page_routes(web_pages(find_web())), share_route()])
    except NotFound as missing:
        reason = str(missing)
        log.warning("%s", reason)

        @app.get("/", include_in_schema=False)
        async def no_page() -> None:
            raise NotFound(reason)

    app.router.routes.extend([*page_routes({**docs_pages(), **lan_pages()}), check_route()])
