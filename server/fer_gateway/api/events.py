"""`GET /api/v1/events`: what is found, as it is found, to dashboards; server-sent events."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fer_gateway.api.access import ACCESS_ERRORS, Access, Client, access_of, require
from fer_gateway.api.deps import GatewayDependency
from fer_gateway.api.gateway import Gateway
from fer_gateway.api.hub import Listener
from fer_gateway.api.pictures import documented
from fer_gateway.errors import Busy, GatewayError, HostNotAllowed, NotFound, NotReady

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_S = 15.0
"""After so long without a result a comment is sent, so that nobody between takes the connection for dead."""
EXAMPLE = """event: ready
data: {"model":{"name":"fer-hybrid","version":"0.2.0"}}

event: result
data: {"source":"picture","stream":null,"faces":[],"timing":{"total_ms":9.1},"model":{"name":"fer-hybrid"}}

"""

router = APIRouter(prefix="/api/v1", responses=documented(HostNotAllowed, GatewayError))


@router.get(
    "/events",
    operation_id="events",
    response_class=Response,
    responses={
        200: {
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": EXAMPLE}},
            "description": "Events until one side ends it.",
        },
        **documented(*ACCESS_ERRORS, NotFound, Busy, NotReady),
    },
)
async def events(
    request: Request,
    gateway: GatewayDependency,
    client: Annotated[Client, Depends(require("stream", always=True))],
) -> Response:
    """Every result of every stream and posted picture, as numbers alone: `ready`, then `result`.

    Off unless `FER_EVENTS` is set, and only for clients with a token, on this machine too.
    """
    if not gateway.settings.events:
        raise NotFound("Events are off. The operator turns them on with `FER_EVENTS=true`.")
    gateway.check_ready()
    return EventStream(gateway, access_of(request), client)


class EventStream(Response):
    """Sends what a listener hears until its client leaves, its token ends, or the gateway stops."""

    media_type = MEDIA_TYPE

    def __init__(self, gateway: Gateway, access: Access, client: Client) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._gateway = gateway
        self._access = access
        self._client = client

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Serve one client."""
        with self._gateway.hub.listen() as listener:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with anyio.create_task_group() as group:
                for end in (
                    partial(self._until_it_leaves, receive),
                    self._gateway.draining.wait,
                    partial(self._talk, listener, send),
                ):
                    group.start_soon(_first, end, group.cancel_scope)
        with anyio.move_on_after(self._gateway.settings.send_timeout_s):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_it_leaves(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _talk(self, listener: Listener, send: Send) -> None:
        card = self._gateway.analyzer.card
        chunk = event("ready", {"model": {"name": card.name, "version": card.version}})
        while True:
            with anyio.move_on_after(self._gateway.settings.send_timeout_s) as patience:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if patience.cancelled_caught:
                return  # it does not read
            chunk = b": still here\n\n"
            with anyio.move_on_after(KEEP_ALIVE_S):
                chunk = event("result", await listener.next())
            try:
                self._access.recheck(self._client)
            except GatewayError:
                return


async def _first(end: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    """Whatever ends first, ends the rest."""
    await end()
    scope.cancel()


def event(name: str, data: dict[str, Any]) -> bytes:
    """One server-sent event; JSON has no line breaks of its own."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
