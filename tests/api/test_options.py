"""What a client may ask for, over real sockets: the query of REST and the `hello` of a stream."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fer_gateway.api.protocol import Frame
from fer_gateway.doubt import REASONS
from fer_gateway.vision.decode import decode_grey

from .harness import Running, Start, problem_of


@pytest.fixture(scope="module")
def packaged(start: Start, default_model: Path) -> Running:
    return start(model=default_model)


@pytest.fixture(scope="module")
def two_faces(grace_hopper: Path, astronaut: Path) -> bytes:
    """Grace Hopper on the left, and the astronaut, whose face is half as large."""
    pair = [decode_grey(path.read_bytes())[:512] for path in (grace_hopper, astronaut)]
    return jpeg(np.hstack(pair))


def jpeg(grey: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 95])[1])


def ask(gateway: Running, picture: bytes, **query: Any) -> list[dict[str, Any]]:
    response = httpx.post(f"{gateway.url}/api/v1/analyze", content=picture, params=query, timeout=30)
    assert response.status_code == 200, response.text
    return list(response.json()["faces"])


@contextmanager
def stream(gateway: Running, options: dict[str, Any]) -> Iterator[ClientConnection]:
    with connect(gateway.stream_url, subprotocols=["fer.v1"], proxy=None) as socket:  # type: ignore[list-item]
        socket.send(json.dumps({"type": "hello", "options": options}))
        yield socket


def first_result(gateway: Running, options: dict[str, Any], picture: bytes) -> list[dict[str, Any]]:
    with stream(gateway, options) as socket:
        assert json.loads(socket.recv(15))["type"] == "ready"
        socket.send(Frame(1, 0.0, picture).pack())
        result = json.loads(socket.recv(30))
    assert result["type"] == "result", result
    return list(result["faces"])


def test_a_clear_smile_is_certain(packaged: Running, astronaut: Path) -> None:
    face = ask(packaged, astronaut.read_bytes())[0]
    assert (face["label"], face["uncertain"], face["reasons"]) == ("happiness", False, [])
    assert face["quality"]["inside"] == 1
    assert abs(face["quality"]["roll_degrees"]) < 15
    assert face["landmarks"] is None


def test_the_same_smile_in_the_dark_is_not(packaged: Running, astronaut: Path) -> None:
    dark = (decode_grey(astronaut.read_bytes()) * 0.17).astype(np.uint8)
    faces = ask(packaged, jpeg(dark))
    assert faces
    assert all(face["uncertain"] and "too_dark" in face["reasons"] for face in faces)
    assert all(face["label"] == max(face["probabilities"], key=face["probabilities"].get) for face in faces)


@pytest.mark.parametrize(("threshold", "uncertain"), [(0, False), (1, True)])
def test_uncertain_below(packaged: Running, astronaut: Path, threshold: float, uncertain: bool) -> None:
    for faces in (
        ask(packaged, astronaut.read_bytes(), uncertain_below=threshold),
        first_result(packaged, {"uncertain_below": threshold}, astronaut.read_bytes()),
    ):
        assert faces[0]["uncertain"] == uncertain
        assert ("low_confidence" in faces[0]["reasons"]) == uncertain
        assert set(faces[0]["reasons"]) <= set(REASONS)


def test_max_faces(packaged: Running, two_faces: bytes) -> None:
    every = ask(packaged, two_faces)
    assert len(every) == 2
    assert ask(packaged, two_faces, max_faces=1) == every[:1]
    assert len(first_result(packaged, {"max_faces": 1}, two_faces)) == 1


def test_min_face(packaged: Running, two_faces: bytes) -> None:
    """The sides of the faces are about 230 and 100 of the 512 px."""
    (face,) = ask(packaged, two_faces, min_face=0.3)
    assert face["box"]["x"] < 0.5
    assert ask(packaged, two_faces, min_face=0.9) == []
    assert len(first_result(packaged, {"min_face": 0.3}, two_faces)) == 1


def test_landmarks(packaged: Running, astronaut: Path) -> None:
    picture = astronaut.read_bytes()
    (face,) = ask(packaged, picture, landmarks=True)
    right_eye, left_eye, nose, right_mouth, left_mouth = face["landmarks"]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < right_mouth[1]
    assert right_mouth[0] < left_mouth[0]
    assert ask(packaged, picture, landmarks=False)[0]["landmarks"] is None
    assert len(first_result(packaged, {}, picture)[0]["landmarks"]) == 5
    assert first_result(packaged, {"landmarks": False}, picture)[0]["landmarks"] is None


BAD_QUERIES = [
    ("max_faces", "0"),
    ("max_faces", "65"),
    ("max_faces", "many"),
    ("min_face", "-0.1"),
    ("min_face", "1.5"),
    ("min_face", "nan"),
    ("uncertain_below", "inf"),
    ("uncertain_below", "2"),
    ("landmarks", "perhaps"),
    ("smooth", "true"),
    ("later", "1"),
]


@pytest.mark.parametrize(("name", "value"), BAD_QUERIES)
def test_a_wrong_query_is_named(gateway: Running, gradient_jpg: bytes, name: str, value: str) -> None:
    response = httpx.post(f"{gateway.url}/api/v1/analyze", content=gradient_jpg, params={name: value})
    assert f"`query.{name}`" in problem_of(response, 422, "invalid_request")["detail"]


@pytest.mark.parametrize("options", [{"max_faces": 0}, {"smooth": "perhaps"}, {"later": 1}], ids=str)
def test_a_wrong_option_ends_the_stream(gateway: Running, options: dict[str, Any]) -> None:
    (name,) = options
    with stream(gateway, options) as socket:
        problem = json.loads(socket.recv(15))["problem"]
        assert f"`hello.options.{name}`" in problem["detail"]
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(15)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_options_and_reasons_are_described(client: httpx.Client) -> None:
    description = client.get("/api/v1/openapi.json").json()
    parameters = {
        parameter["name"]: parameter
        for parameter in description["paths"]["/api/v1/analyze"]["post"]["parameters"]
    }
    assert set(parameters) == {"max_faces", "min_face", "uncertain_below", "landmarks"}
    assert all(entry["in"] == "query" and not entry["required"] for entry in parameters.values())
    assert all(entry["description"] for entry in parameters.values())
    assert (
        parameters["max_faces"]["schema"] | {"minimum": 1, "maximum": 64, "default": 64}
        == (parameters["max_faces"]["schema"])
    )
    reasons = description["components"]["schemas"]["FaceBody"]["properties"]["reasons"]
    assert reasons["items"]["enum"] == list(REASONS)
    assert all(meaning in reasons["description"] for meaning in REASONS.values())
