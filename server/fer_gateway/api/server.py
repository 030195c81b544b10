"""How the application is served: one process, uvicorn, with the limits of this protocol."""

import logging
import socket
from functools import partial

import anyio
import uvicorn
from fastapi import FastAPI

from fer_gateway.api.gateway import Gateway
from fer_gateway.api.patience import MAX_CONNECTIONS, PatientLoop, PatientProtocol
from fer_gateway.settings import Settings

SHUTDOWN_S = 2
"""Seconds for requests that hold no picture, after those that do had `drain_s`."""
IMPATIENCE_S = 0.1
"""How soon a second Ctrl+C is noticed while the first is obeyed."""


NO_FAULT_OF_OURS = "Invalid UTF-8 sequence received from client."
"""uvicorn ends such a stream with 1007, and logs a traceback: any client could fill the log."""


class GatewayServer(uvicorn.Server):
    """uvicorn, that lets what is under way be answered before it closes any connection."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, drain_s: float) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._drain_s = drain_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then shut down."""
        with anyio.move_on_after(self._drain_s):
            drained = False
            while not (drained or self.force_exit):
                with anyio.move_on_after(IMPATIENCE_S):
                    await self._gateway.drain()
                    drained = True
        await super().shutdown(sockets)


def server_for(app: FastAPI, settings: Settings) -> GatewayServer:
    """A server of `app`, ready to run.

    Told to stop, it is not `ready` any more and takes no new stream, answers pictures and frames under way
    within `drain_s`, closes streams with 1012, and then all connections.
    """
    return GatewayServer(server_config(app, settings), app.state.gateway, settings.drain_s)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """The configuration of uvicorn for `app`; logging is left as it is, requests we log ourselves."""
    logging.getLogger("uvicorn.error").addFilter(_is_fault_of_ours)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        # The same everywhere: `auto` would take what happens to be installed.
        http=partial(
            PatientProtocol,
            header_timeout_s=settings.receive_timeout_s,
            send_timeout_s=settings.send_timeout_s,
        ),  # type: ignore[arg-type]
        limit_concurrency=MAX_CONNECTIONS,
        loop=f"{PatientLoop.__module__}:{PatientLoop.__name__}",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        # JPEG does not shrink. Messages over the size are cut off with 1009 before they are in memory.
        ws_per_message_deflate=False,
        ws_max_size=2 * settings.max_frame_bytes,
        # A phone that leaves the network says nothing: its stream would keep its place for ever.
        ws_ping_interval=settings.ping_timeout_s,
        ws_ping_timeout=settings.ping_timeout_s,
        # Whoever is not a proxy that we were told of may write what it likes into `X-Forwarded-*`.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
    )


def _is_fault_of_ours(record: logging.LogRecord) -> bool:
    return record.msg != NO_FAULT_OF_OURS
