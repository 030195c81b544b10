"""One client's stream: frames up, results down, over a WebSocket that speaks `fer.v1`."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from fer_gateway.api.gateway import Gateway
from fer_gateway.api.mailbox import WINDOW, Mailbox
from fer_gateway.api.problems import logged_problem, problem_members
from fer_gateway.api.protocol import (
    CLOSE_BUSY,
    CLOSE_FAILED,
    CLOSE_INVALID,
    SUBPROTOCOL,
    Frame,
    Hello,
    encode,
    error_message,
    grant_message,
    parse_text,
    ready_message,
    result_message,
)
from fer_gateway.api.workers import Worker
from fer_gateway.errors import (
    GatewayError,
    ImageError,
    ProtocolViolation,
    RequestError,
    RequestTimeout,
    Unavailable,
)
from fer_gateway.live import LiveAnalyzer

FAREWELL_TIMEOUT_S = 1.0
"""Seconds for the last `error` and the close frame, for a client that may not read any more."""

CLOSE_CODES = (
    (RequestError, CLOSE_INVALID),
    (Unavailable, CLOSE_BUSY),
    (GatewayError, CLOSE_FAILED),
)

log = logging.getLogger(__name__)


async def serve_stream(websocket: WebSocket, gateway: Gateway) -> None:
    """Accept a stream and serve it until one side ends it; a refusal is an `error` and a close code."""
    offered = SUBPROTOCOL in websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=SUBPROTOCOL if offered else None)
    try:
        if not offered:
            raise ProtocolViolation(f"Open the WebSocket with the subprotocol `{SUBPROTOCOL}`.")
        with gateway.stream_place():
            await Stream(websocket, gateway).run()
    except GatewayError as error:
        await _farewell(websocket, error)
    except WebSocketDisconnect as gone:
        log.debug("a stream ended with code `%s`", gone.code)


class Stream:
    """Receives and answers at the same time; the mailbox is all that the two share."""

    def __init__(self, websocket: WebSocket, gateway: Gateway) -> None:
        self._websocket = websocket
        self._gateway = gateway
        self._mailbox = Mailbox()
        self._reset_is_due = False
        self._sending = anyio.Lock()
        self._end: GatewayError | WebSocketDisconnect | None = None

    async def run(self) -> None:
        """Serve until the end.

        Raises:
            WebSocketDisconnect: the client left, or the server shuts down.
            ProtocolViolation, RequestTimeout, NotReady: why the gateway ends the stream.
        """
        live = await self._greet()
        async with anyio.create_task_group() as group:
            for half in (self._receive_messages, partial(self._answer_frames, live)):
                group.start_soon(self._until_end, half, group.cancel_scope)
        if self._end is not None:
            raise self._end

    async def _until_end(self, half: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        """Run one half; whichever ends first ends the other. Raised, its reason would come out in a group."""
        try:
            await half()
        except (GatewayError, WebSocketDisconnect) as end:
            self._end = self._end or end
        finally:
            scope.cancel()

    async def _greet(self) -> LiveAnalyzer:
        """Wait for `hello`; what analyses the frames, as it wishes."""
        timeout_s = self._gateway.settings.hello_timeout_s
        try:
            with anyio.fail_after(timeout_s):
                message = await self._receive()
        except TimeoutError as exc:
            raise ProtocolViolation(f"No `hello` came within `{timeout_s:g}` s.") from exc
        hello = parse_text(message) if isinstance(message, str) else None
        if not isinstance(hello, Hello):
            raise ProtocolViolation('The first message is `{"type":"hello","options":{}}`.')
        analyzer = self._gateway.analyzer
        await self._send(ready_message(analyzer.card, WINDOW))
        return LiveAnalyzer(analyzer, hello.options)

    async def _receive_messages(self) -> None:
        max_image_bytes = self._gateway.settings.max_frame_bytes
        while True:
            message = await self._receive()
            if isinstance(message, bytes):
                self._mailbox.put(Frame.unpack(message, max_image_bytes=max_image_bytes))
            elif isinstance(parse_text(message), Hello):
                raise ProtocolViolation("`hello` comes once, as the first message.")
            else:
                await self._reset()

    async def _reset(self) -> None:
        self._reset_is_due = True  # not at once: a worker may be at a frame of before
        self._mailbox.clear()
        if self._mailbox.owed:
            await self._send(grant_message(self._mailbox.pay_back()))

    async def _answer_frames(self, live: LiveAnalyzer) -> None:
        while True:
            await self._mailbox.wait()
            async with self._gateway.turn() as worker:
                if not self._mailbox:
                    continue  # a `reset` emptied it while this stream waited for its turn
                frame = self._mailbox.take()
                if self._reset_is_due:
                    live.reset()
                    self._reset_is_due = False
                message = await self._answer(worker, live, frame)
            await self._send(message)

    async def _answer(self, worker: Worker, live: LiveAnalyzer, frame: Frame) -> dict[str, Any]:
        path = self._websocket.url.path
        try:
            analysis = await worker.run(live.analyze, frame.image, frame.captured_ms)
        except ImageError as error:
            return error_message(problem_members(error, path), frame, self._mailbox.pay_back(answered=1))
        except GatewayError:
            raise
        except Exception as error:  # noqa: BLE001 - one frame that breaks a library must not end the stream
            return error_message(logged_problem(error, path), frame, self._mailbox.pay_back(answered=1))
        return result_message(
            frame, analysis, dropped=self._mailbox.dropped, credits_=self._mailbox.pay_back(answered=1)
        )

    async def _receive(self) -> str | bytes:
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1006), event.get("reason"))
        text: str | None = event.get("text")
        return text if text is not None else bytes(event["bytes"])

    async def _send(self, message: dict[str, Any]) -> None:
        timeout_s = self._gateway.settings.send_timeout_s
        try:
            with anyio.fail_after(timeout_s):
                async with self._sending:
                    await self._websocket.send_text(encode(message))
        except TimeoutError as exc:
            raise RequestTimeout(f"The client has not read for `{timeout_s:g}` s.") from exc


async def _farewell(websocket: WebSocket, error: GatewayError) -> None:
    """Tell why the gateway ends the stream, as far as the client still listens."""
    if websocket.client_state is not WebSocketState.CONNECTED:
        return
    code = next(code for kind, code in CLOSE_CODES if isinstance(error, kind))
    try:
        with anyio.move_on_after(FAREWELL_TIMEOUT_S):
            await websocket.send_text(encode(error_message(problem_members(error, websocket.url.path))))
            await websocket.close(code, error.title)
    except WebSocketDisconnect:
        log.debug("the client left before it was told `%s`", error.code)
