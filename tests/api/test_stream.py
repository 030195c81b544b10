"""`/api/v1/stream` over real sockets: frames up, results down, and every way to misbehave."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.protocol import HEADER, Frame
from fer_gateway.settings import Settings
from fer_gateway.vision.align import Grey

from .harness import Running, Start

HELLO = '{"type":"hello","options":{}}'


@contextmanager
def opened(gateway: Running, **options: Any) -> Iterator[ClientConnection]:
    """A connection before its `hello`."""
    options = {"subprotocols": ["fer.v1"], "compression": None, "proxy": None, "open_timeout": 10} | options
    with connect(gateway.stream_url, **options) as socket:
        yield socket


@contextmanager
def greeted(gateway: Running, **wishes: Any) -> Iterator[ClientConnection]:
    """A connection after `ready`, with these `options` in its `hello`."""
    with granted(gateway, **wishes) as (socket, _):
        yield socket


@contextmanager
def granted(gateway: Running, **wishes: Any) -> Iterator[tuple[ClientConnection, int]]:
    """The same, and the credits that it begins with."""
    with opened(gateway) as socket:
        socket.send(json.dumps({"type": "hello", "options": wishes}))
        ready = read(socket)
        assert ready["type"] == "ready"
        yield socket, ready["window"]


def read(socket: ClientConnection, timeout_s: float = 15) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(socket.recv(timeout_s))
    return message


def ending(socket: ClientConnection) -> tuple[dict[str, Any], int]:
    """The problem of the last `error` message (empty without one), and the close code after it."""
    problem: dict[str, Any] = {}

    def read_on() -> None:
        nonlocal problem
        while True:
            problem = read(socket).get("problem", problem)

    with pytest.raises(ConnectionClosed) as closed:
        read_on()
    assert closed.value.rcvd is not None
    return problem, closed.value.rcvd.code


class SlowAnalyzer(Analyzer):
    """Pauses before every frame."""

    pause_s = 0.05

    def decode(self, data: bytes) -> Grey:
        time.sleep(self.pause_s)
        return super().decode(data)


class GatedAnalyzer(Analyzer):
    """Holds every frame back until its gate opens."""

    def hold(self) -> None:
        self.entered, self.gate = threading.Event(), threading.Event()

    def decode(self, data: bytes) -> Grey:
        self.entered.set()
        assert self.gate.wait(30)
        return super().decode(data)


class FaultyAnalyzer(Analyzer):
    """Fails at the frame `fault`."""

    def decode(self, data: bytes) -> Grey:
        if data == b"fault":
            raise RuntimeError("a secret of the gateway")
        return super().decode(data)


@pytest.fixture
def gated(start: Start, settings: Settings) -> Iterator[tuple[Running, GatedAnalyzer]]:
    """A gateway that analyses nothing until its analyzer's gate is opened."""
    analyzer = GatedAnalyzer.open(settings.model_file)
    analyzer.hold()
    yield start(lambda _: analyzer), analyzer
    analyzer.gate.set()


def test_a_frame_and_its_result(gateway: Running, hopper_jpg: bytes) -> None:
    with opened(gateway) as socket:
        assert socket.subprotocol == "fer.v1"
        socket.send(HELLO)
        ready = read(socket)
        assert ready["type"] == "ready"
        assert ready["window"] == 2
        labels = ready["card"]["labels"]
        socket.send(Frame(7, 1234.5, hopper_jpg).pack())
        result = read(socket)
    assert result["type"] == "result"
    assert (result["seq"], result["captured_ms"]) == (7, 1234.5)
    assert (result["width"], result["height"]) == (512, 600)
    assert (result["credits"], result["dropped"]) == (1, 0)
    assert result["timing"]["total_ms"] > 0
    (face,) = result["faces"]
    assert set(face) == {
        "id", "box", "landmarks", "probabilities", "label", "confidence", "uncertain", "reasons", "quality"
    }  # fmt: skip
    assert 0 <= face["box"]["x"] <= face["box"]["x"] + face["box"]["width"] <= 1
    assert len(face["probabilities"]) == len(labels)
    assert labels[face["probabilities"].index(max(face["probabilities"]))] == face["label"]
    assert face["confidence"] == max(face["probabilities"])


def test_the_same_faces_as_rest(gateway: Running, client: Any, astronaut_png: bytes) -> None:
    with greeted(gateway) as socket:
        socket.send(Frame(0, 0.0, astronaut_png).pack())
        (streamed,) = read(socket)["faces"]
    (posted,) = client.post("/api/v1/analyze", content=astronaut_png).json()["faces"]
    assert streamed["box"] == posted["box"]
    assert streamed["label"] == posted["label"]
    assert streamed["probabilities"] == pytest.approx(list(posted["probabilities"].values()), abs=1e-4)


def ask(socket: ClientConnection, captured_ms: float, image: bytes) -> list[dict[str, Any]]:
    """The faces of a frame."""
    socket.send(Frame(int(captured_ms), captured_ms, image).pack())
    faces: list[dict[str, Any]] = read(socket)["faces"]
    return faces


def test_ids_last_until_a_reset(gateway: Running, hopper_jpg: bytes) -> None:
    """Each connection counts for itself."""
    with greeted(gateway) as socket, greeted(gateway) as other:
        assert [ask(socket, 40.0 * number, hopper_jpg)[0]["id"] for number in range(5)] == [0] * 5
        socket.send('{"type":"reset"}')
        assert [ask(socket, 200 + 40.0 * number, hopper_jpg)[0]["id"] for number in range(3)] == [1] * 3
        assert ask(other, 0.0, hopper_jpg)[0]["id"] == 0


def test_a_reset_while_a_frame_is_analysed(gated: tuple[Running, GatedAnalyzer], hopper_jpg: bytes) -> None:
    """The frame under way still belongs to what was before; the next one starts anew."""
    gateway, analyzer = gated
    with greeted(gateway) as socket:
        socket.send(Frame(1, 0.0, hopper_jpg).pack())
        assert analyzer.entered.wait(15)
        socket.send('{"type":"reset"}')
        socket.send(Frame(2, 40.0, hopper_jpg).pack())
        time.sleep(0.2)  # so that the gateway has read both
        analyzer.gate.set()
        assert [read(socket)["faces"][0]["id"] for _ in range(2)] == [0, 1]


def test_probabilities_are_smoothed_unless_asked_not_to(gateway: Running, hopper_jpg: bytes) -> None:
    """It gets darker from one frame to the next: the second one alone, or with what the first one showed."""
    first = cv2.imdecode(np.frombuffer(hopper_jpg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert first is not None
    dark = bytes(cv2.imencode(".png", (first * 0.6).astype(np.uint8))[1])
    after: dict[bool, list[float]] = {}
    for smooth in (True, False):
        with greeted(gateway, smooth=smooth) as socket:
            (before,) = ask(socket, 0.0, hopper_jpg)
            (face,) = ask(socket, 20.0, dark)
        assert face["id"] == before["id"] == 0
        after[smooth] = face["probabilities"]
    way = np.array(after[False]) - before["probabilities"]
    moved = np.array(after[True]) - before["probabilities"]
    assert np.abs(way).max() > 0.02
    assert 0 < float(moved @ way) < 0.5 * float(way @ way)


def test_credits_last_for_ever(gateway: Running, gradient_jpg: bytes) -> None:
    """A client that spends every credit gets one answer for each frame and ends with the whole window."""
    credits_, sent, answered = 2, 0, 0
    with greeted(gateway) as socket:
        while answered < 200:
            while credits_ > 0 and sent < 200:
                socket.send(Frame(sent, float(sent), gradient_jpg).pack())
                credits_, sent = credits_ - 1, sent + 1
            message = read(socket)
            answered = 1 + message["seq"]
            credits_ += message["credits"]
            assert 0 <= credits_ <= 2
    assert credits_ == 2


@pytest.mark.parametrize(
    ("image", "code"),
    [(b"", "empty_image"), (b"text", "unsupported_image"), (b"\xff\xd8\xff\xe0broken", "damaged_image")],
)
def test_a_damaged_frame_costs_nothing(
    gateway: Running, gradient_jpg: bytes, image: bytes, code: str
) -> None:
    with greeted(gateway) as socket:
        socket.send(Frame(3, 0.5, image).pack())
        error = read(socket)
        assert error["type"] == "error"
        assert error["problem"]["code"] == code
        assert error["problem"]["instance"] == "/api/v1/stream"
        assert (error["seq"], error["captured_ms"], error["credits"]) == (3, 0.5, 1)
        socket.send(Frame(4, 0.0, gradient_jpg).pack())
        assert read(socket)["seq"] == 4


def test_a_fault_of_the_gateway_costs_one_frame(start: Start, gradient_jpg: bytes) -> None:
    gateway = start(lambda settings: FaultyAnalyzer.open(settings.model_file))
    with greeted(gateway) as socket:
        socket.send(Frame(1, 0.0, b"fault").pack())
        error = read(socket)
        assert error["problem"]["code"] == "internal_error"
        assert error["problem"]["id"] in error["problem"]["detail"]
        assert "secret" not in json.dumps(error)
        assert error["credits"] == 1
        socket.send(Frame(2, 0.0, gradient_jpg).pack())
        assert read(socket)["type"] == "result"


VIOLATIONS = {
    "a frame first": [Frame(0, 0.0, b"").pack()],
    "a reset first": ['{"type":"reset"}'],
    "no JSON": ["hello"],
    "another type": ['{"type":"start"}'],
    "hello twice": [HELLO, HELLO],
    "bad magic": [HELLO, HEADER.pack(b"XX", 1, 0, 0, 0.0)],
    "another version": [HELLO, HEADER.pack(b"FE", 9, 0, 0, 0.0)],
    "a short header": [HELLO, b"FE"],
    "not a number": [HELLO, HEADER.pack(b"FE", 1, 0, 0, float("nan"))],
    "a large frame": [HELLO, Frame(0, 0.0, bytes(5 * 1024 * 1024)).pack()],
    "a long text": [HELLO, "x" * 20_000],
}


@pytest.mark.parametrize("messages", VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_violations_end_the_stream(gateway: Running, messages: list[str | bytes]) -> None:
    with opened(gateway) as socket:
        for message in messages:
            socket.send(message)
        problem, code = ending(socket)
    assert code == 1008
    assert problem["code"] == "protocol_violation"


def test_frames_without_credit_end_the_stream(
    gated: tuple[Running, GatedAnalyzer], gradient_jpg: bytes
) -> None:
    gateway, analyzer = gated
    with greeted(gateway) as socket:
        socket.send(Frame(0, 0.0, gradient_jpg).pack())
        assert analyzer.entered.wait(15)
        for sequence in range(1, 31):
            socket.send(Frame(sequence, 0.0, gradient_jpg).pack())
        analyzer.gate.set()
        problem, code = ending(socket)
    assert code == 1008
    assert "credit" in problem["detail"]


def test_the_subprotocol_must_be_offered(gateway: Running) -> None:
    with opened(gateway, subprotocols=None) as socket:
        assert socket.subprotocol is None
        problem, code = ending(socket)
    assert code == 1008
    assert "`fer.v1`" in problem["detail"]


def test_silence_ends_the_stream(start: Start) -> None:
    with opened(start(hello_timeout_s=0.2)) as socket:
        problem, code = ending(socket)
    assert code == 1008
    assert "`hello`" in problem["detail"]


def test_reset_drops_the_waiting_frame(gated: tuple[Running, GatedAnalyzer], gradient_jpg: bytes) -> None:
    gateway, analyzer = gated
    with greeted(gateway) as socket:
        socket.send(Frame(1, 0.0, gradient_jpg).pack())
        assert analyzer.entered.wait(15)
        socket.send(Frame(2, 0.0, gradient_jpg).pack())
        socket.send('{"type":"reset"}')
        assert read(socket) == {"type": "grant", "credits": 1}
        analyzer.gate.set()
        result = read(socket)
        assert (result["seq"], result["dropped"], result["credits"]) == (1, 1, 1)
        socket.send(Frame(3, 0.0, gradient_jpg).pack())
        assert read(socket)["seq"] == 3


def test_one_stream_too_many(start: Start, gradient_jpg: bytes) -> None:
    gateway = start(max_streams=1)
    with greeted(gateway) as first:
        with opened(gateway) as second:
            problem, code = ending(second)
        assert code == 1013
        assert problem["code"] == "busy"
        first.send(Frame(1, 0.0, gradient_jpg).pack())
        assert read(first)["type"] == "result"
    deadline = time.monotonic() + 5
    while gateway.app.state.gateway._streams and time.monotonic() < deadline:
        time.sleep(0.01)
    with greeted(gateway):
        pass


def test_two_streams_share_the_worker(start: Start, gradient_jpg: bytes) -> None:
    """Both want all of it, each gets about half."""
    gateway = start(lambda settings: SlowAnalyzer.open(settings.model_file), workers=1)
    counts = {"a": 0, "b": 0}
    both_are_ready = threading.Barrier(2, timeout=30)
    over = threading.Event()

    def run(name: str) -> None:
        with greeted(gateway) as socket:
            both_are_ready.wait()
            for _ in range(2):
                socket.send(Frame(0, 0.0, gradient_jpg).pack())
            while not over.is_set():
                message = read(socket)
                counts[name] += 1
                for _ in range(message["credits"]):
                    socket.send(Frame(0, 0.0, gradient_jpg).pack())
                if sum(counts.values()) >= 40:
                    over.set()

    threads = [threading.Thread(target=run, args=(name,)) for name in counts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(counts.values()) >= 14, counts


def test_an_answer_to_a_client_that_has_broken_the_protocol(
    start: Start, gradient_jpg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The server closes such a connection by itself, when an answer may be on its way: no fault of ours."""
    gateway = start()
    for number in range(120):
        with greeted(gateway) as socket:
            socket.send(Frame(0, 0.0, gradient_jpg).pack())
            time.sleep(number % 40 / 4000)
            socket.socket.sendall(b"\xff" * 16)  # no frame of a WebSocket
            assert ending(socket)[1] == 1002
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    with opened(gateway) as socket:
        socket.send(HELLO)
        credits_ = read(socket)["window"]
        while not credits_:  # the last answer to a client that has gone may be on its way still
            credits_ = read(socket)["credits"]
        socket.send(Frame(0, 0.0, gradient_jpg).pack())
        while (kind := read(socket)["type"]) == "grant":
            pass
    assert kind == "result"
