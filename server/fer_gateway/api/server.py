"""How the application is served: one process, uvicorn, with the limits of this protocol."""

import uvicorn
from starlette.types import ASGIApp

from fer_gateway.settings import Settings

SHUTDOWN_S = 5
"""Seconds that requests get to finish once the gateway is told to stop."""


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """The configuration of uvicorn for `app`; logging is left as it is.

    Told to stop, such a server takes no new connection, closes streams with 1012 and finishes its requests.
    """
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="on",
        log_config=None,
        access_log=settings.log_level == "debug",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        # JPEG does not shrink. Messages over the size are cut off with 1009 before they are in memory.
        ws_per_message_deflate=False,
        ws_max_size=2 * settings.max_frame_bytes,
    )
