"""Who may ask for what: `require` for routes, and the tokens, devices and limits behind it."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection, Request

from fer_gateway.api.limits import Allowance, Places
from fer_gateway.api.security import UNKNOWN_HOST
from fer_gateway.errors import (
    DevicesUnavailable,
    PrivateFileError,
    RateLimited,
    ScopeMissing,
    TokenExpired,
    TokenInvalid,
    TokenRequired,
)
from fer_gateway.lan.devices import Device, DeviceFile, Scope
from fer_gateway.settings import Settings

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Headers of reverse proxies. Whoever sends one is not this machine, or does not want to be."""
BEARER = "bearer "
REFUSALS_PER_MINUTE = 60
PAIRINGS_PER_MINUTE = 5
PAIRINGS_OF_ALL_PER_MINUTE = 30
"""Tries to guess a code: with 2^60 of them, none succeeds in the ten minutes that a code lives."""
VISITORS_PER_ADDRESS = 8
"""Streams of one address that have not said yet who they are."""
ACCESS_ERRORS = (TokenRequired, TokenInvalid, TokenExpired, ScopeMissing, RateLimited, DevicesUnavailable)
"""What a guarded route can answer besides its own errors."""

log = logging.getLogger(__name__)
bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="The token of a paired device. This machine needs none, unless a route or a setting says so.",
)


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request."""

    address: str
    device: Device | None
    """The device whose token came with it; none for this machine where that needs no token."""

    @property
    def key(self) -> str:
        """What limits count it by."""
        return self.address if self.device is None else self.device.id


class Access:
    """Lets clients in by their tokens, and counts what each of them asks for."""

    def __init__(self, settings: Settings) -> None:
        self.devices = DeviceFile(settings.devices_file)
        self._asks_everybody = settings.asks_everybody
        self._requests = Allowance(settings.max_requests_per_minute)
        self._refusals = Allowance(REFUSALS_PER_MINUTE)
        self._pairings = Allowance(PAIRINGS_PER_MINUTE)
        self._all_pairings = Allowance(PAIRINGS_OF_ALL_PER_MINUTE)
        self._streams = Places(settings.max_streams_per_client)
        self._visitors = Places(VISITORS_PER_ADDRESS)

    def admit(
        self, connection: HTTPConnection, scope: Scope, *, token: str | None = None, always: bool = False
    ) -> Client:
        """The client of a request or stream that may do what `scope` stands for.

        Args:
            connection: the request or WebSocket.
            scope: what is asked for.
            token: as it came in a message; without it, the one in the `Authorization` header.
            always: ask this machine for a token too.

        Raises:
            TokenRequired, TokenInvalid, TokenExpired, ScopeMissing: the client may not.
            RateLimited: it has asked too often.
            DevicesUnavailable: nobody can be let in.
        """
        address = address_of(connection)
        if self._is_open(connection) and not always:
            return Client(address, None)
        token = token or bearer_token(connection)
        if token is None:
            raise TokenRequired(
                "Send `Authorization: Bearer TOKEN`, in a stream `token` in the `hello`. To get a token, run "
                "`fer-gateway devices pair` where the gateway runs."
            )
        device = self._find(token, address)
        if scope not in device.scopes:
            raise ScopeMissing(
                f"This token is for `{'`, `'.join(device.scopes)}`. Pair again with `--scope {scope}`."
            )
        self._requests.take(device.id)
        return Client(address, device)

    def recheck(self, client: Client) -> None:
        """Let a client that was let in go on: its token may have been revoked since, or have expired.

        Raises:
            TokenInvalid, TokenExpired, DevicesUnavailable: no longer.
        """
        if client.device is not None:
            with readable():
                self.devices.check(client.device)

    def knows(self, connection: HTTPConnection) -> bool:
        """Whether the client may see more than whether the gateway is up."""
        if UNKNOWN_HOST in connection.scope:
            return False
        if self._is_open(connection):
            return True
        try:
            token = bearer_token(connection)
            return token is not None and bool(self._find(token, address_of(connection)))
        except (TokenInvalid, TokenExpired, RateLimited, DevicesUnavailable):
            return False

    def count_pairing(self, address: str) -> None:
        """Count a try to pair; raises `RateLimited` after a few of one address, or some more of all."""
        self._pairings.take(address)
        self._all_pairings.take("")

    def visit(self, connection: HTTPConnection) -> AbstractContextManager[None]:
        """A place for a stream until it has said who it is; raises `Busy` where its address has too many."""
        return self._visitors.take(address_of(connection))

    def stream_place(self, client: Client) -> AbstractContextManager[None]:
        """A place among the streams of a device; raises `Busy` where it has too many."""
        if (
            client.device is None
        ):  # programs on this machine cannot be told apart; `max_streams` is their limit
            return nullcontext()
        return self._streams.take(client.key)

    def _is_open(self, connection: HTTPConnection) -> bool:
        return not self._asks_everybody and not is_forwarded(connection)

    def _find(self, token: str, address: str) -> Device:
        try:
            with readable():
                return self.devices.find(token)
        except (TokenInvalid, TokenExpired, DevicesUnavailable):
            self._refusals.take(address)
            raise


@contextmanager
def readable() -> Iterator[None]:
    """What is wrong with the file of devices, as an answer for clients; where it lies is for the log only."""
    try:
        yield
    except PrivateFileError as error:
        log.error("%s", error)  # noqa: TRY400 - the message says it all
        raise DevicesUnavailable("The gateway cannot look up its devices; its log tells why.") from error


def require(scope: Scope, *, always: bool = False) -> Callable[..., Awaitable[Client]]:
    """A dependency of routes that only clients with a token for `scope` may use.

    On a loopback address no token is needed, unless `always`: for what other programs here must not see.

        @router.get("/events", responses=documented(*ACCESS_ERRORS))
        async def events(client: Annotated[Client, Depends(require("stream", always=True))]): ...
    """

    async def admitted(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> Client:
        return access_of(request).admit(request, scope, always=always)

    return admitted


def access_of(connection: HTTPConnection) -> Access:
    """The access of the application that a request or stream came to."""
    access: Access = connection.app.state.access
    return access


def address_of(connection: HTTPConnection) -> str:
    """The address of a client; that of a trusted proxy's client, where uvicorn was told of the proxy."""
    return connection.client.host if connection.client else "unknown"


def is_forwarded(connection: HTTPConnection) -> bool:
    """Whether the client sits behind a proxy, or says so."""
    return any(name in connection.headers for name in FORWARDED)


def bearer_token(connection: HTTPConnection) -> str | None:
    """The token in the `Authorization` header, if there is one.

    Raises:
        TokenInvalid: there are two, and nobody knows which one was meant.
    """
    values = connection.headers.getlist("authorization")
    if len(values) > 1:
        raise TokenInvalid("Send one `Authorization` header.")
    if not values or not values[0].lower().startswith(BEARER):
        return None
    return values[0][len(BEARER) :].strip() or None
