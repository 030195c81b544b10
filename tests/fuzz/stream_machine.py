"""Clients of `fer.v1` that do anything in any order, and what has to come back, whatever they do.

What may come back for a message depends on all that came before it: the account of `Caller` says what.
"""

import asyncio
import json
import math
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tests.api.harness import Running
from tests.api.test_protocol import BAD_STREAM_OPTIONS
from websockets.exceptions import ConnectionClosed

from fer_gateway.api.mailbox import UNPAID_FRAMES_LIMIT, WINDOW
from fer_gateway.api.protocol import HEADER, MAX_TEXT_CHARACTERS, Frame

from .stream_caller import ANSWER_WITHIN_S, Caller, Picture, wire_of

CALLERS = 2
MAX_FRAME_BYTES = 64 * 1024
PATIENT: dict[str, Any] = {
    "workers": 1,
    "max_frame_bytes": MAX_FRAME_BYTES,
    "hello_timeout_s": 600,
    "receive_timeout_s": 600,
    "send_timeout_s": 600,
    "ping_timeout_s": 600,
}
"""Settings for the gateway: nothing ends because the machine is slow."""

Message = str | bytes
Raw = tuple[bytes, int]
"""Bytes on the wire that are no WebSocket, and the close code for them."""

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "max_faces": st.integers(1, 64),
        "min_face": st.floats(0, 1),
        "uncertain_below": st.floats(0, 1),
        "landmarks": st.booleans(),
        "smooth": st.booleans(),
    },
)
WHO = st.integers(0, CALLERS - 1)
MILLISECONDS = st.one_of(st.floats(0, 1e6), st.floats(allow_nan=False, allow_infinity=False))


def violations(*, greeted: bool) -> st.SearchStrategy[Message]:
    """Messages that `fer.v1` does not know, or not after `hello` was said."""
    headers = st.builds(
        HEADER.pack,
        st.sampled_from([b"FE", b"EF", b"fe"]),
        st.integers(2, 255),
        st.integers(0, 255),
        st.integers(0, 2**32 - 1),
        st.just(0.0),
    )
    texts = [
        "", "null", "[]", "{}", '{"type":"frame"}', '{"type":"resets"}', '{"type":["reset"]}', "[" * 3000,
        '{"type":"hello","options":3}', " " * MAX_TEXT_CHARACTERS + '{"type":"reset"}',
    ]  # fmt: skip
    return st.one_of(
        st.binary(max_size=HEADER.size - 1),
        headers,
        st.sampled_from([math.nan, math.inf, -math.inf]).map(lambda ms: HEADER.pack(b"FE", 1, 0, 0, ms)),
        st.integers(1, 255).map(lambda flags: HEADER.pack(b"FE", 1, flags, 0, 0.0)),
        st.just(Frame(1, 0.0, bytes(MAX_FRAME_BYTES + 1)).pack()),
        st.sampled_from(texts),
        st.text(max_size=40),
        st.just('{"type":"hello"}') if greeted else st.nothing(),
        st.sampled_from(BAD_STREAM_OPTIONS).map(lambda bad: json.dumps({"type": "hello", "options": bad})),
    )


NO_WEBSOCKET: tuple[Raw, ...] = (
    (b"\x83\x80" + bytes(4), 1002),  # an opcode that does not exist
    (b"\x82\x02ab", 1002),  # not masked
    (b"\xc2\x80" + bytes(4), 1002),  # a reserved bit
    (b"\x80\x80" + bytes(4), 1002),  # the continuation of nothing
    (b"\x89\xfe\x00\x7e" + bytes(130), 1002),  # a ping that is too long
    (b"\x81\x81" + bytes(4) + b"\xff", 1007),  # a text that is not UTF-8
    (wire_of(bytes(2 * MAX_FRAME_BYTES + 1)), 1009),
)


class StreamMachine(RuleBasedStateMachine):
    """Up to `CALLERS` streams at a time; a fault of its own ends one, and nothing else does."""

    gateway: ClassVar[Running]
    client: ClassVar[httpx.Client]
    pictures: ClassVar[Sequence[Picture]]
    """The first one shows a face."""
    resting: ClassVar[dict[str, float]]
    """What `rest` found before any client came."""
    seen: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.callers: list[Caller] = []
        self.sequence = 0

    def greeted(self, who: int, options: dict[str, Any] | None = None) -> Caller:
        """A caller that has said `hello`: that of this number, or a new one."""
        talking = [caller for caller in self.callers if caller.greeted]
        if who < len(talking):
            return talking[who]
        silent = [caller for caller in self.callers if not caller.greeted]
        caller = silent[0] if silent else self.opened()
        caller.greet(options or {})
        self.seen["streams"] += 1
        return caller

    def opened(self) -> Caller:
        caller = Caller(self.gateway.stream_url, offered=True)
        self.callers.append(caller)
        return caller

    @precondition(lambda self: len(self.callers) < CALLERS)
    @rule(options=st.one_of(st.none(), OPTIONS))
    def open(self, options: dict[str, Any] | None) -> None:
        """Another stream, that says `hello` at once or later."""
        if options is None:
            self.opened()
        else:
            self.greeted(CALLERS, options)

    @rule(written=st.integers(0, 120))
    def half_a_handshake(self, written: int) -> None:
        request = (
            "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.gateway.port), ANSWER_WITHIN_S) as connection:
            connection.sendall(request[:written].encode())

    @rule(
        who=WHO,
        picture=st.integers(0, 5),
        captured_ms=MILLISECONDS,
        way=st.sampled_from(["whole", "fragments", "slowly"]),
    )
    def frame(self, who: int, picture: int, captured_ms: float, way: str) -> None:
        caller = self.greeted(who)
        while not caller.credits:
            self.heard(caller)
        message = caller.frame(self.pictures[picture % len(self.pictures)], self.next(), captured_ms)
        if way == "slowly":
            caller.say_slowly(message)
        else:
            caller.say(message, pieces=3 if way == "fragments" else 1)
        self.seen["frames"] += 1

    @rule(who=WHO, all_of_it=st.booleans())
    def read(self, who: int, all_of_it: bool) -> None:
        caller = self.greeted(who)
        while caller.credits < WINDOW:
            self.heard(caller)
            if not all_of_it:
                return
        caller.settle()

    @rule(who=WHO)
    def reset(self, who: int) -> None:
        self.greeted(who).reset()

    @precondition(lambda self: self.callers)
    @rule(who=WHO)
    def ping(self, who: int) -> None:
        assert self.callers[who % len(self.callers)].connection.ping().wait(ANSWER_WITHIN_S)

    @rule(who=WHO, unpaid=st.integers(0, UNPAID_FRAMES_LIMIT + 1))
    def flood(self, who: int, unpaid: int) -> None:
        """Frames without a credit while the only worker is busy: of the others, the last is answered."""
        caller = self.greeted(who)
        for other in self.callers:
            if other.greeted:
                other.settle()
        answers_due = caller.unanswered
        with self.busy():
            received = self.rest()["fer_frames_received_total"]
            with suppress(ConnectionClosed):
                for _ in range(WINDOW + unpaid):
                    caller.say(caller.frame(self.pictures[0], self.next(), self.sequence * 40.0))
            if caller.unpaid > UNPAID_FRAMES_LIMIT:
                self.ended(caller, 1008, "streams that sent too much")
                return
            self.wait_until(lambda: self.rest()["fer_frames_received_total"] == received + WINDOW + unpaid)
        while caller.credits < WINDOW:
            self.heard(caller)
        caller.settle()
        assert caller.unanswered == answers_due + WINDOW - 1 + unpaid
        self.seen["frames without a credit"] += unpaid

    @rule(who=WHO, message=violations(greeted=True))
    def violation(self, who: int, message: Message) -> None:
        self.violate(self.greeted(who), message)

    @rule(
        first=st.one_of(
            violations(greeted=False),
            st.sampled_from(['{"type":"reset"}', Frame(0, 0.0, b"early").pack()]),
        )
    )
    def no_hello(self, first: Message) -> None:
        self.violate(self.opened(), first)

    @precondition(lambda self: self.callers)
    @rule(who=WHO, raw=st.sampled_from(NO_WEBSOCKET))
    def no_websocket(self, who: int, raw: Raw) -> None:
        caller = self.callers[who % len(self.callers)]
        caller.connection.socket.sendall(raw[0])
        self.ended(caller, raw[1], "streams that broke WebSocket")

    @precondition(lambda self: self.callers)
    @rule(
        who=WHO,
        code=st.sampled_from([None, None, 1000, 1001, 4000]),
        written=st.floats(0, 1, exclude_max=True),
    )
    def leave(self, who: int, code: int | None, written: float) -> None:
        """In order, or in the middle of a frame."""
        caller = self.callers[who % len(self.callers)]
        self.callers.remove(caller)
        if code is not None:
            caller.leave(code)
            return
        wire = wire_of(Frame(self.next(), 0.0, self.pictures[0].data).pack())
        caller.vanish(wire[: int(written * len(wire))])
        self.seen["streams that vanished"] += 1

    def heard(self, caller: Caller) -> None:
        message = caller.hear()
        caller.take(message)
        self.seen[message["type"]] += 1

    def ended(self, caller: Caller, code: int, how: str) -> None:
        caller.ends(code)
        self.callers.remove(caller)
        self.seen[how] += 1

    def violate(self, caller: Caller, message: Message) -> None:
        caller.say(message)
        self.ended(caller, 1008, "violations")

    def next(self) -> int:
        self.sequence += 1
        return self.sequence

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep the only worker."""
        gateway = self.gateway.app.state.gateway
        loop: asyncio.AbstractEventLoop = gateway._loop
        taken, over = threading.Event(), asyncio.Event()

        async def keep() -> None:
            async with gateway.turn():
                taken.set()
                await over.wait()

        keeping = asyncio.run_coroutine_threadsafe(keep(), loop)
        assert taken.wait(ANSWER_WITHIN_S), "the worker was never free"
        try:
            yield
        finally:
            loop.call_soon_threadsafe(over.set)
            keeping.result(ANSWER_WITHIN_S)

    @classmethod
    def rest(cls) -> dict[str, float]:
        """What the gateway says of itself: streams, tasks, and frames that it ever received."""
        text = cls.client.get("/metrics").text
        found = re.findall(r"^(fer_streams|fer_tasks|fer_frames_received_total) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    @staticmethod
    def wait_until(holds: Callable[[], bool]) -> None:
        until_s = time.monotonic() + ANSWER_WITHIN_S
        while not holds():
            assert time.monotonic() < until_s
            time.sleep(0.05)

    def is_at_rest(self) -> bool:
        rest, crowd = self.rest(), self.gateway.app.state.gateway.crowd
        return (
            rest["fer_streams"] == 0
            and rest["fer_tasks"] <= self.resting["fer_tasks"]
            and crowd._under_way == 0
            and not crowd._expected
        )

    def teardown(self) -> None:
        """All clients leave: no place, task or credit is lost, and who comes next is served as ever."""
        for caller in self.callers:
            caller.leave()
        self.wait_until(self.is_at_rest)
        caller = Caller(self.gateway.stream_url, offered=True)
        caller.greet({})
        assert caller.credits == WINDOW
        caller.say(caller.frame(self.pictures[0], self.next(), 0.0))
        answer = caller.hear()
        assert answer["type"] == "result", answer
        assert answer["faces"]
        caller.take(answer)
        caller.settle()
        caller.leave()
        self.seen["sequences"] += 1
