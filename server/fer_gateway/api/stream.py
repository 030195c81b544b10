"""One client's stream: frames up, results down, over a WebSocket that speaks `fer.v1`."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from fer_gateway.api.access import Access
from fer_gateway.api.crowd import Share
from fer_gateway.api.gateway import Gateway, stopping
from fer_gateway.api.mailbox import WINDOW, Mailbox
from fer_gateway.api.problems import logged_problem, problem_members
from fer_gateway.api.protocol import (
    CLOSE_BUSY,
    CLOSE_FAILED,
    CLOSE_INVALID,
    CLOSE_RESTARTING,
    SUBPROTOCOL,
    Frame,
    Hello,
    encode,
    error_message,
    grant_message,
    model_message,
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
    Restarting,
    Unavailable,
)
from fer_gateway.live import LiveAnalyzer

FAREWELL_TIMEOUT_S = 1.0
"""Seconds for the last `error` and the close frame, for a client that may not read any more."""

CLOSED_ABNORMALLY = 1006
"""What RFC 6455 calls a connection that ended without a close frame."""

CLOSE_CODES = (
    (RequestError, CLOSE_INVALID),
    (Restarting, CLOSE_RESTARTING),
    (Unavailable, CLOSE_BUSY),
    (GatewayError, CLOSE_FAILED),
)

log = logging.getLogger(__name__)


async def serve_stream(websocket: WebSocket, gateway: Gateway, access: Access) -> None:
    """Accept a stream and serve it until one side ends it; a refusal is an `error` and a close code."""
    offered = SUBPROTOCOL in websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=SUBPROTOCOL if offered else None)
    try:
        if not offered:
            raise ProtocolViolation(f"Open the WebSocket with the subprotocol `{SUBPROTOCOL}`.")
        with gateway.stream_place():
            pass  # not kept yet: a place is for those who have said who they are
        stream = Stream(websocket, gateway)
        with access.visit(websocket):
            hello = await stream.greet()
        client = access.admit(websocket, "stream", token=hello.token)
        with gateway.stream_place(), access.stream_place(client):
            await stream.run(hello, partial(access.recheck, client))
    except GatewayError as error:
        gateway.metrics.problem(error.code)
        await _farewell(websocket, error)
    except WebSocketDisconnect as gone:
        log.debug("a stream ended with code `%s`", gone.code)


class Stream:
    """Receives, answers and grants at the same time; the mailbox is all that the three share."""

    def __init__(self, websocket: WebSocket, gateway: Gateway) -> None:
        self._websocket = websocket
        self._gateway = gateway
        self._share = Share(gateway.crowd)
        self._mailbox = Mailbox(gateway.take_credits, self._share.note)
        self._reset_is_due = False
        self._working = False
        self._number = gateway.next_number()
        self._sending = anyio.Lock()
        self._end: GatewayError | WebSocketDisconnect | None = None

    async def greet(self) -> Hello:
        """Wait for `hello`, the first message.

        Raises:
            WebSocketDisconnect: the client left.
            ProtocolViolation: something else came, or nothing in time.
        """
        timeout_s = self._gateway.settings.hello_timeout_s
        try:
            with anyio.fail_after(timeout_s):
                message = await self._receive()
        except TimeoutError as exc:
            raise ProtocolViolation(f"No `hello` came within `{timeout_s:g}` s.") from exc
        hello = parse_text(message) if isinstance(message, str) else None
        if not isinstance(hello, Hello):
            raise ProtocolViolation('The first message is `{"type":"hello","options":{}}`.')
        return hello

    async def run(self, hello: Hello, recheck: Callable[[], None]) -> None:
        """Serve as `hello` wishes until the end; `recheck` raises once the client may go on no longer.

        Raises:
            WebSocketDisconnect: the client left, or the server shuts down.
            ProtocolViolation, RequestTimeout, NotReady, Restarting: why the gateway ends the stream.
        """
        live = LiveAnalyzer(self._gateway.analyzer, hello.options)  # and no name for a model that may go
        self._recheck = recheck
        with self._share.joined():
            window = self._mailbox.open(self._gateway.take_credits(WINDOW))
            await self._send(ready_message(live.analyzer.card, window))
            await self._run_parts(live)
        if self._end is not None:
            raise self._end

    async def _run_parts(self, live: LiveAnalyzer) -> None:
        async with anyio.create_task_group() as group:
            for part in (
                self._receive_messages,
                partial(self._answer_frames, live),
                self._grant_withheld,
                self._end_in_order,
            ):
                group.start_soon(self._until_end, part, group.cancel_scope)

    async def _until_end(self, part: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        """Run one part; whichever ends first ends the others. Raised, its reason would come in a group."""
        try:
            await part()
        except (GatewayError, WebSocketDisconnect) as end:
            self._end = self._end or end
        finally:
            scope.cancel()

    async def _receive_messages(self) -> None:
        max_image_bytes = self._gateway.settings.max_frame_bytes
        while True:
            message = await self._receive()
            if self._gateway.draining.is_set():
                continue  # what is under way is answered, nothing more
            if isinstance(message, bytes):
                self._put(Frame.unpack(message, max_image_bytes=max_image_bytes))
            elif isinstance(parse_text(message), Hello):
                raise ProtocolViolation("`hello` comes once, as the first message.")
            else:
                await self._reset()

    def _put(self, frame: Frame) -> None:
        self._gateway.metrics.frame()
        with self._counted():
            self._mailbox.put(frame)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count what the mailbox drops meanwhile."""
        before = self._mailbox.dropped
        try:
            yield
        finally:
            self._gateway.metrics.dropped(self._mailbox.dropped - before)

    async def _reset(self) -> None:
        self._reset_is_due = True  # not at once: a worker may be at a frame of before
        with self._counted():
            self._mailbox.clear()
        if credits_ := self._mailbox.pay_back():
            await self._send(grant_message(credits_))

    async def _grant_withheld(self) -> None:
        """Grant what was held back, by a cap or for want of workers, each credit once its time has come."""
        while True:
            await self._mailbox.wait_for_debt()
            await self._gateway.wait_for_credit()
            if credits_ := self._mailbox.pay_withheld():
                await self._send(grant_message(credits_))

    async def _end_in_order(self) -> None:
        """Once the gateway is told to stop, end this stream when it owes no answer."""
        await self._gateway.draining.wait()
        if not (self._mailbox or self._working):
            raise stopping()
        await anyio.sleep_forever()  # until the last answer

    async def _answer_frames(self, live: LiveAnalyzer) -> None:
        while True:
            await self._mailbox.wait()
            self._recheck()  # a token that is revoked ends the stream at its next frame
            await self._follow_model(live)
            async with self._gateway.turn() as worker:
                if not self._mailbox:
                    continue  # a `reset` emptied it while this stream waited for its turn
                frame, self._working = self._mailbox.take(), True
                if self._reset_is_due:
                    live.reset()
                    self._reset_is_due = False
                message = await self._answer(worker, live, frame)
            await self._send(message)
            self._working = False
            if self._gateway.draining.is_set() and not self._mailbox:
                raise stopping()

    async def _follow_model(self, live: LiveAnalyzer) -> None:
        """Let another model answer, if there is one since; one with other labels needs a stream of its own.

        A client may ignore `model`, and would then take one label for another.
        """
        analyzer = self._gateway.analyzer
        if analyzer is live.analyzer:
            return
        if analyzer.card.labels != live.analyzer.card.labels:
            raise Restarting("The new model has other labels. Connect again.")
        live.use(analyzer)
        await self._send(model_message(analyzer.card))

    async def _answer(self, worker: Worker, live: LiveAnalyzer, frame: Frame) -> dict[str, Any]:
        path = self._websocket.url.path
        try:
            analysis = await worker.run(live.analyze, frame.image, frame.captured_ms)
        except ImageError as error:
            return self._failure(frame, problem_members(error, path))
        except GatewayError:
            raise
        except Exception as error:  # noqa: BLE001 - one frame that breaks a library must not end the stream
            return self._failure(frame, logged_problem(error, path))
        self._gateway.report(analysis, live.analyzer.card, stream=self._number)
        return result_message(
            frame, analysis, dropped=self._mailbox.dropped, credits_=self._mailbox.pay_back(answered=1)
        )

    def _failure(self, frame: Frame, problem: dict[str, Any]) -> dict[str, Any]:
        self._gateway.metrics.failure()
        self._gateway.metrics.problem(problem["code"])
        return error_message(problem, frame, self._mailbox.pay_back(answered=1))

    async def _receive(self) -> str | bytes:
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", CLOSED_ABNORMALLY), event.get("reason"))
        text: str | None = event.get("text")
        return text if text is not None else bytes(event["bytes"])

    async def _send(self, message: dict[str, Any]) -> None:
        timeout_s = self._gateway.settings.send_timeout_s
        try:
            with anyio.fail_after(timeout_s):
                async with self._sending:
                    await send_message(self._websocket, message)
        except TimeoutError as exc:
            raise RequestTimeout(f"The client has not read for `{timeout_s:g}` s.") from exc


async def send_message(websocket: WebSocket, message: dict[str, Any]) -> None:
    """Send one message.

    Raises:
        WebSocketDisconnect: the connection is over. Where the client broke the WebSocket protocol the server
            under us has closed it by itself, and calls this a fault of ours, until `receive` tells.
    """
    text = encode(message)
    try:
        await websocket.send_text(text)
    except RuntimeError as exc:
        raise WebSocketDisconnect(CLOSED_ABNORMALLY) from exc


async def _farewell(websocket: WebSocket, error: GatewayError) -> None:
    """Tell why the gateway ends the stream, as far as the client still listens."""
    if websocket.client_state is not WebSocketState.CONNECTED:
        return
    code = next(code for kind, code in CLOSE_CODES if isinstance(error, kind))
    try:
        with anyio.move_on_after(FAREWELL_TIMEOUT_S):
            await send_message(websocket, error_message(problem_members(error, websocket.url.path)))
            await websocket.close(code, error.title)
    except WebSocketDisconnect:
        log.debug("the client left before it was told `%s`", error.code)
