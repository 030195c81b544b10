"""One client of `fer.v1` that keeps account of all that the gateway owes it, and believes nothing else."""

import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from fer_gateway.api.mailbox import WINDOW
from fer_gateway.api.protocol import CLOSE_INVALID, Frame
from fer_gateway.errors import ImageError
from fer_gateway.vision.decode import decode_grey

ANSWER_WITHIN_S = 60.0


@dataclass(frozen=True)
class Picture:
    """A file, and what has to come back for it."""

    data: bytes
    size: tuple[int, int] | None
    """Width and height where it can be decoded, in pixels."""
    problem: str | None
    """The code of the problem where it cannot."""

    @classmethod
    def of(cls, data: bytes) -> "Picture":
        try:
            height, width = decode_grey(data).shape
        except ImageError as error:
            return cls(data, None, error.code)
        return cls(data, (width, height), None)


class Caller:
    """A connection and its account: credits, the frames under way, what was dropped, and ids of faces.

    `credits` is exact: those granted less the frames sent for one. Frames are answered in the order in which
    they were sent, or never.
    """

    def __init__(self, url: str, *, offered: bool) -> None:
        self._open = ExitStack()
        self.connection: ClientConnection = self._open.enter_context(
            connect(
                url,
                subprotocols=[Subprotocol("fer.v1")] if offered else None,
                compression=None,
                proxy=None,
                open_timeout=ANSWER_WITHIN_S,
                ping_interval=None,
            )
        )
        self.greeted = False
        self.credits = 0
        self.unpaid = 0
        self._max_faces = 0
        self._under_way: dict[int, tuple[float, Picture]] = {}
        self._sent = self._answered = self._passed_over = self._dropped = 0
        self._ids: set[int] = set()
        self._old_ids: set[int] = set()
        self._reset_after: int | None = None

    def greet(self, options: dict[str, Any]) -> None:
        """Say `hello` as it should be, and begin with the credits of `ready`: fewer where others are busy."""
        self.say(json.dumps({"type": "hello", "options": options, "later": 1}))
        answer = self.hear()
        assert answer["type"] == "ready", answer
        assert 0 <= answer["window"] <= WINDOW
        assert answer["card"]["labels"]
        self.greeted, self.credits = True, answer["window"]
        self._max_faces = options.get("max_faces", 64)

    def frame(self, picture: Picture, sequence: int, captured_ms: float) -> bytes:
        """The message of a frame that is about to be sent, entered into the account."""
        self._sent += 1
        if self.credits:
            self.credits -= 1
        else:
            self.unpaid += 1
        self._under_way[sequence] = (captured_ms, picture)
        return Frame(sequence, captured_ms, picture.data).pack()

    def say(self, message: str | bytes, pieces: int = 1) -> None:
        """Send a message, in so many fragments."""
        if pieces == 1:
            self.connection.send(message)
        else:
            step = max(1, -(-len(message) // pieces))
            self.connection.send([message[at : at + step] for at in range(0, len(message), step)])

    def say_slowly(self, message: bytes) -> None:
        """Send a message as one frame of a WebSocket whose bytes come in three parts."""
        wire = wire_of(message)
        for part in (wire[:1], wire[1:9], wire[9:]):
            self.connection.socket.sendall(part)

    def reset(self) -> None:
        """Say that all faces from now on are new ones."""
        self.say('{"type":"reset"}')
        self._reset_after = self._sent

    def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(ANSWER_WITHIN_S))
        return message

    def settle(self) -> None:
        """Read until every credit is back: then nothing is under way, and what has no answer was dropped."""
        while self.credits < WINDOW:
            self.take(self.hear())
        self._passed_over += len(self._under_way)
        self._under_way.clear()

    @property
    def unanswered(self) -> int:
        """Frames of the whole stream without an answer."""
        return self._sent - self._answered

    def take(self, message: dict[str, Any]) -> None:
        """Check a message that is no farewell, and enter it."""
        credits_ = message["credits"]
        self.credits += credits_
        assert 0 <= credits_ <= self.credits <= WINDOW, message
        if message["type"] == "grant":
            assert credits_ > 0
            return
        picture = self._answered_now(message)
        if message["type"] == "error":
            assert message["problem"]["code"] == picture.problem, message
            return
        assert message["type"] == "result", message
        assert (message["width"], message["height"]) == picture.size, message
        assert max(self._dropped, self._passed_over) <= message["dropped"] <= self.unanswered, message
        self._dropped = message["dropped"]
        self._look_at(message["faces"])

    def _answered_now(self, message: dict[str, Any]) -> Picture:
        """The picture that this message answers; those sent before it will have no answer any more."""
        sequence = message["seq"]
        assert sequence in self._under_way, message
        for sent in list(self._under_way):
            captured_ms, picture = self._under_way.pop(sent)
            if sent == sequence:
                break
            self._passed_over += 1
        assert message["captured_ms"] == captured_ms, message
        self._answered += 1
        if self._reset_after is not None and self._passed_over + self._answered > self._reset_after:
            self._old_ids |= self._ids
            self._reset_after = None
        return picture

    def _look_at(self, faces: Sequence[dict[str, Any]]) -> None:
        assert len(faces) <= self._max_faces
        ids = {face["id"] for face in faces}
        assert len(ids) == len(faces)
        assert not ids & self._old_ids, "an id of before the `reset` came back"
        self._ids |= ids
        for face in faces:
            assert abs(sum(face["probabilities"]) - 1) < 0.01
            assert all(-0.01 <= place <= 1.01 for place in face["box"].values())

    def ends(self, code: int) -> None:
        """The gateway ends the stream with this code, after answers that are still due and one farewell.

        What breaks WebSocket itself has no farewell: no message can be believed then.
        """
        farewell = None
        try:
            while True:
                message = self.hear()
                assert farewell is None, f"{message} came after {farewell}"
                if message["type"] == "error" and "seq" not in message:
                    farewell = message
                else:
                    self.take(message)
        except ConnectionClosed:
            self._open.close()
            assert self.connection.close_code == code, (self.connection.close_code, farewell)
        if code == CLOSE_INVALID:
            assert farewell is not None
            assert farewell["problem"]["code"] == "protocol_violation", farewell
            assert farewell["problem"]["status"] == 400
        else:
            assert farewell is None, farewell

    def leave(self, code: int = 1000) -> None:
        """Close in order."""
        self.connection.close(code)
        self._open.close()

    def vanish(self, half: bytes) -> None:
        """Be gone without a word, in the middle of what is written."""
        self.connection.socket.sendall(half)
        self.connection.socket.shutdown(socket.SHUT_RDWR)
        self._open.close()


def wire_of(message: bytes) -> bytes:
    """The bytes of a binary message on the wire, masked as a client has to."""
    return WebSocketFrame(Opcode.BINARY, message).serialize(mask=True)
