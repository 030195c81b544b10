"""`/api/v1` over a real socket: answers for good pictures, problems for bad requests."""

import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import anyio
import cv2
import httpx
import numpy as np
import pytest
from PIL import Image

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.app import create_app
from fer_gateway.faces import Analysis
from fer_gateway.options import DEFAULT_OPTIONS, Options
from fer_gateway.settings import Settings

from .harness import Running, Start, problem_of

MIB = 1024 * 1024


def png_header(width: int, height: int, *, bit_depth: int = 8) -> bytes:
    """A PNG that ends after its header."""
    fields = struct.pack(">IIBBBBB", width, height, bit_depth, 0, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + fields))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + fields + checksum


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, astronaut: Path) -> dict[str, bytes]:
    """The astronaut in forms that are rare but legal."""
    folder = tmp_path_factory.mktemp("pictures")
    photo = Image.open(astronaut).convert("RGB")
    photo.convert("CMYK").save(folder / "cmyk.jpg", quality=90)
    frames = [photo, photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    frames[0].save(folder / "animated.webp", save_all=True, append_images=frames[1:], duration=100)
    grey = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    cv2.imwrite(str(folder / "sixteen.png"), grey)
    photo.save(folder / "plain.webp")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("name", ["cmyk.jpg", "animated.webp", "sixteen.png", "plain.webp"])
def test_rare_pictures_show_their_face(client: httpx.Client, pictures: dict[str, bytes], name: str) -> None:
    response = client.post("/api/v1/analyze", content=pictures[name])
    assert response.status_code == 200, response.text
    assert len(response.json()["faces"]) == 1


def test_the_face_of_a_photo(client: httpx.Client, hopper_jpg: bytes) -> None:
    response = client.post("/api/v1/analyze", content=hopper_jpg, headers={"Content-Type": "image/jpeg"})
    assert response.status_code == 200
    body = response.json()
    assert body["image"] == {"width": 512, "height": 600}
    stages = ("decode", "detect", "landmarks", "crop", "infer", "judge", "total")
    assert list(body["timing"]) == [f"{stage}_ms" for stage in stages]
    assert body["model"]["name"] == "tiny"
    (face,) = body["faces"]
    box = face["box"]
    assert 0.2 < box["x"] < box["x"] + box["width"] < 0.9
    assert 0.0 < box["y"] < box["y"] + box["height"] < 0.6
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert face["confidence"] == max(face["probabilities"].values())
    assert face["probabilities"][face["label"]] == face["confidence"]


def test_no_face_is_an_empty_list(client: httpx.Client, gradient_jpg: bytes) -> None:
    response = client.post("/api/v1/analyze", content=gradient_jpg)
    assert response.status_code == 200
    assert response.json()["faces"] == []


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain", None],
)
def test_the_type_of_a_raw_body_does_not_matter(
    client: httpx.Client, astronaut_png: bytes, content_type: str | None
) -> None:
    """`curl --data-binary` says `application/x-www-form-urlencoded` unless told otherwise."""
    headers = {"Content-Type": content_type} if content_type else {}
    response = client.post("/api/v1/analyze", content=astronaut_png, headers=headers)
    assert response.status_code == 200
    assert len(response.json()["faces"]) == 1


def test_a_form_answers_like_a_raw_body(client: httpx.Client, astronaut_png: bytes) -> None:
    raw = client.post("/api/v1/analyze", content=astronaut_png).json()
    form = client.post(
        "/api/v1/analyze", files={"file": ("a.png", astronaut_png, "image/png")}, data={"note": "ignored"}
    ).json()
    assert form["faces"] == raw["faces"]
    assert len(form["faces"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"this is not a picture", 415, "unsupported_image", id="text"),
        pytest.param(b"", 400, "empty_image", id="empty"),
        pytest.param(png_header(60_000, 60_000), 413, "too_many_pixels", id="60,000 x 60,000"),
        pytest.param(png_header(64, 64), 422, "damaged_image", id="only a header"),
        pytest.param(bytes(30 * MIB), 413, "body_too_large", id="30 MiB"),
        pytest.param(b"GIF89a" + bytes(100), 415, "unsupported_image", id="GIF"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_image", id="SVG"),
    ],
)
def test_bad_bodies(client: httpx.Client, body: bytes, status: int, code: str) -> None:
    problem_of(client.post("/api/v1/analyze", content=body), status, code)
    problem_of(client.post("/api/v1/analyze", files={"file": ("x", body)}), status, code)
    assert client.get("/api/v1/ready").status_code == 200


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.999])
def test_a_truncated_jpeg(client: httpx.Client, hopper_jpg: bytes, kept: float) -> None:
    problem_of(
        client.post("/api/v1/analyze", content=hopper_jpg[: int(len(hopper_jpg) * kept)]),
        422,
        "damaged_image",
    )


def test_forms_that_are_wrong(client: httpx.Client, astronaut_png: bytes) -> None:
    wrong = client.post("/api/v1/analyze", files={"picture": ("a.png", astronaut_png)})
    assert "exactly one" in problem_of(wrong, 422, "invalid_request")["detail"]
    two = client.post("/api/v1/analyze", files=[("file", ("a", b"1")), ("file", ("b", b"2"))])
    problem_of(two, 422, "invalid_request")
    unbounded = client.post("/api/v1/analyze", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert "boundary" in problem_of(unbounded, 422, "invalid_request")["detail"]


def test_a_body_without_a_length_is_cut_off_at_the_limit(gateway: Running) -> None:
    """An endless chunked body: the answer comes while it is still being sent."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            sent += 65536
            yield bytes(65536)
            if sent > 40 * MIB:
                return

    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        problem_of(client.post("/api/v1/analyze", content=endless()), 413, "body_too_large")


def test_an_announced_large_body_is_refused_before_it_is_sent(gateway: Running) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 31457280\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_arrive(start: Start) -> None:
    slow = start(receive_timeout_s=0.3)
    with socket.create_connection(("127.0.0.1", slow.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nxyz"
        )
        answer = b"".join(iter(lambda: connection.recv(4096), b""))  # to the end: it is closed then
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"request_timeout" in answer


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api/v2/analyze", "/docs/../../etc/passwd"])
def test_unknown_paths(client: httpx.Client, path: str) -> None:
    problem_of(client.get(path), 404, "not_found")
    problem_of(client.post(path), 404, "not_found")


def test_wrong_methods(client: httpx.Client) -> None:
    response = client.delete("/api/v1/analyze")
    assert "`DELETE`" in problem_of(response, 405, "method_not_allowed")["detail"]
    assert response.headers["allow"] == "POST"
    problem_of(client.post("/api/v1/health"), 405, "method_not_allowed")
    problem_of(client.post("/docs"), 405, "method_not_allowed")


def test_the_card(client: httpx.Client) -> None:
    card = client.get("/api/v1/model").json()
    assert card["format"] == "fer.card/1"
    assert card["labels"][0] == "neutral"
    assert len(card["labels"]) == 8


def test_health_and_readiness(client: httpx.Client) -> None:
    health, later = (client.get("/api/v1/health").json() for _ in range(2))
    assert health["status"] == "ok"
    assert 0 < health["uptime_s"] < later["uptime_s"]
    ready = client.get("/api/v1/ready")
    assert ready.json() == {
        "status": "ready",
        "model": {"name": "tiny", "version": ready.json()["model"]["version"]},
    }


def test_a_gateway_that_is_not_open_says_so(settings: Settings) -> None:
    """Before the server has started the application, and after it has ended it."""
    app = create_app(settings)

    async def ask(method: str, path: str) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            return await client.request(method, path)

    for method, path in (("GET", "/api/v1/ready"), ("GET", "/api/v1/model"), ("POST", "/api/v1/analyze")):
        response = anyio.run(ask, method, path)
        problem_of(response, 503, "not_ready")
        assert response.headers["retry-after"] == "1"
    assert anyio.run(ask, "GET", "/api/v1/health").status_code == 200


def test_a_fault_of_the_gateway_is_told_only_to_the_log(
    start: Start, gradient_jpg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(Analyzer):
        def analyze(self, data: bytes, options: Options = DEFAULT_OPTIONS) -> Analysis:
            raise RuntimeError("a secret of the gateway")

    gateway = start(lambda settings: Faulty.open(settings.model_file))
    with httpx.Client(base_url=gateway.url) as client:
        response = client.post("/api/v1/analyze", content=gradient_jpg)
        problem = problem_of(response, 500, "internal_error")
        assert client.get("/api/v1/ready").status_code == 200
    assert "secret" not in response.text
    assert problem["id"] in problem["detail"]
    assert response.headers["content-security-policy"]
    (record,) = [record for record in caplog.records if problem["id"] in record.getMessage()]
    assert record.exc_info is not None
    assert "a secret of the gateway" in str(record.exc_info[1])
