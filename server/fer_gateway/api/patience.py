"""HTTP connections that wait for ever neither for a request to begin nor for an answer to be read."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 512
"""Open at the same time, all clients together; requests on more get 503, see also `Listener`."""

HANDSHAKE_WITHIN_S = 10.0
"""Seconds from a connection to the end of its TLS handshake."""


class PatientLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, whose servers wait for a TLS handshake for `HANDSHAKE_WITHIN_S`, not a minute."""

    async def create_server(self, *args: Any, **kwargs: Any) -> asyncio.Server:
        """Serve, as asyncio does."""
        if kwargs.get("ssl"):
            kwargs.setdefault("ssl_handshake_timeout", HANDSHAKE_WITHIN_S)
        return await super().create_server(*args, **kwargs)


class PatientProtocol(H11Protocol):
    """uvicorn's protocol; who does not end its headers within `header_timeout_s` is cut off.

    So is who reads nothing for `send_timeout_s` while an answer waits. uvicorn alone waits for ever, so that
    a few hundred clients that send or take a byte now and then ("slow loris") would take all connections.
    Bodies have a time limit of their own, see `read_body`.
    """

    def __init__(self, *args: Any, header_timeout_s: float, send_timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_timeout_s, self._send_timeout_s = header_timeout_s, send_timeout_s
        self._cut_off: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and go on waiting where that is not yet a request."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more to wait for."""
        self._rest()
        self._trust_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Keep an eye on a client that takes less than it is given."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """It took most of what was waiting."""
        self._trust_reader()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Go on, with the same eye on the end of an answer, after which the connection may be closed."""
        super().on_response_complete()
        self._watch_reader()

    def _watch_reader(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread and self._look is None:
            self._look = self.loop.call_later(self._send_timeout_s, self._look_again, unread)

    def _trust_reader(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_again(self, unread_before: int) -> None:
        self._look = None
        if self.transport.get_write_buffer_size() >= unread_before:
            self.transport.abort()
        else:
            self._watch_reader()

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._rest()
        elif self._cut_off is None:
            self._cut_off = self.loop.call_later(self._header_timeout_s, self.transport.close)

    def _rest(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None
