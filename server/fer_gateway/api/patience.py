"""HTTP connections that do not wait for ever for a request to begin."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 512
"""Open at the same time, all clients together; more get 503. Most systems let a process open 1024 files."""


class PatientProtocol(H11Protocol):
    """uvicorn's protocol; a client whose headers do not come to an end within `header_timeout_s` is cut off.

    uvicorn alone waits for ever, so that a few hundred clients that send a byte now and then ("slow loris")
    would take all connections. Bodies have a time limit of their own, see `read_body`.
    """

    def __init__(self, *args: Any, header_timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_timeout_s = header_timeout_s
        self._cut_off: asyncio.TimerHandle | None = None

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
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._rest()
        elif self._cut_off is None:
            self._cut_off = self.loop.call_later(self._header_timeout_s, self.transport.close)

    def _rest(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None
