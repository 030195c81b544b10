"""`POST /api/v1/analyze/batch`: an answer or a problem for each picture, and limits on the whole."""

import contextlib
import socket
import time

import httpx
import pytest

from fer_gateway.api.body import MAX_FIELDS

from .harness import Running, Start, problem_of

URL = "/api/v1/analyze/batch"


def form(*pictures: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", picture) for picture in pictures]


def test_each_picture_has_its_own_answer(
    client: httpx.Client, hopper_jpg: bytes, astronaut_png: bytes, gradient_jpg: bytes
) -> None:
    files = form(("a.jpg", hopper_jpg), ("C:\\b\\c.png", astronaut_png), ("../d.jpg", gradient_jpg))
    response = client.post(URL, files=files, params={"landmarks": True})
    assert response.status_code == 200, response.text
    results = response.json()["results"]
    assert [item["name"] for item in results] == ["a.jpg", "c.png", "d.jpg"]
    assert [item["problem"] for item in results] == [None] * 3
    assert [item["analysis"]["image"]["height"] for item in results] == [600, 512, 240]
    assert [len(item["analysis"]["faces"]) for item in results] == [1, 1, 0]
    assert len(results[0]["analysis"]["faces"][0]["landmarks"]) == 5
    alone = client.post("/api/v1/analyze", content=hopper_jpg, params={"landmarks": True}).json()
    assert results[0]["analysis"]["faces"] == alone["faces"]


def test_a_bad_picture_is_a_problem_of_its_own(client: httpx.Client, hopper_jpg: bytes) -> None:
    files = form(("text", b"text"), ("good", hopper_jpg), ("empty", b""), ("cut", hopper_jpg[:9000]))
    results = client.post(URL, files=files).json()["results"]
    codes = [item["problem"] and item["problem"]["code"] for item in results]
    assert codes == ["unsupported_image", None, "empty_image", "damaged_image"]
    assert [item["analysis"] is None for item in results] == [True, False, True, True]
    assert results[0]["problem"]["instance"] == URL


def test_wrong_forms(client: httpx.Client, gradient_jpg: bytes) -> None:
    too_many = form(*[("x", b"x")] * (MAX_FIELDS + 1))
    problem_of(client.post(URL, files=too_many), 422, "invalid_request")
    no_file = problem_of(client.post(URL, files={"picture": gradient_jpg}), 422, "invalid_request")
    assert "`file`" in no_file["detail"]
    raw = problem_of(client.post(URL, content=gradient_jpg), 422, "invalid_request")
    assert "multipart/form-data" in raw["detail"]


def test_limits_hold_for_the_form_and_for_each_picture(start: Start, gradient_jpg: bytes) -> None:
    limit = len(gradient_jpg) + 100
    small = start(max_body_bytes=limit, max_batch_bytes=3 * limit)
    with httpx.Client(base_url=small.url, timeout=30) as client:
        files = form(("small", gradient_jpg), ("large", gradient_jpg + bytes(200)))
        results = client.post(URL, files=files).json()["results"]
        assert [item["problem"] and item["problem"]["code"] for item in results] == [None, "body_too_large"]
        whole = form(("huge", bytes(3 * limit + 100_000)))
        assert (
            "FER_MAX_BATCH_BYTES"
            in problem_of(client.post(URL, files=whole), 413, "body_too_large")["detail"]
        )


def test_a_batch_takes_the_places_of_the_pictures_it_may_hold(start: Start, gradient_jpg: bytes) -> None:
    gateway = start(max_waiting=5, max_body_bytes=10_000, max_batch_bytes=40_000)
    with contextlib.ExitStack() as stack:
        unfinished_batch(gateway, stack)
        with httpx.Client(base_url=gateway.url, timeout=30) as client:
            for _ in range(300):  # until it has arrived; a post instead could take its places
                if "fer_pictures_waiting 4.0" in client.get("/metrics").text:
                    break
                time.sleep(0.1)
            refused = client.post(URL, files=form(("x", gradient_jpg)))
            problem_of(refused, 503, "busy")
            assert refused.headers["retry-after"] == "1"
            assert client.post("/api/v1/analyze", content=gradient_jpg).status_code == 200


def unfinished_batch(gateway: Running, stack: contextlib.ExitStack) -> None:
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))
    connection.sendall(
        f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x".encode()
    )


@pytest.mark.parametrize("query", ["max_faces=0", "min_face=2", "uncertain_below=x"])
def test_options_are_checked(client: httpx.Client, gradient_jpg: bytes, query: str) -> None:
    problem_of(client.post(f"{URL}?{query}", files=form(("x", gradient_jpg))), 422, "invalid_request")
