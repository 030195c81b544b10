"""`POST /api/v1/explain` over a real socket."""

import base64
from typing import Any

import cv2
import httpx
import jsonschema
import numpy as np
import pytest

from .harness import Start, problem_of

MIB = 1024 * 1024
URL = "/api/v1/explain"


def check_documented(client: httpx.Client, response: httpx.Response) -> None:
    """The answer is what the API's description says of its status."""
    description: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    documented = description["paths"][URL]["post"]["responses"][str(response.status_code)]
    schema = documented["content"][response.headers["content-type"]]["schema"]
    jsonschema.validate(response.json(), schema | {"components": description["components"]})


def decode(url: str) -> Any:
    """The pixels of a data URL as they are."""
    head, _, text = url.partition(",")
    assert head == "data:image/png;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)


def test_explains_the_face_of_a_photo(client: httpx.Client, hopper_jpg: bytes) -> None:
    response = client.post(URL, content=hopper_jpg, headers={"Content-Type": "image/jpeg"})
    assert response.status_code == 200
    check_documented(client, response)
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    face, *_ = client.post("/api/v1/analyze", content=hopper_jpg).json()["faces"]
    assert body["label"] == face["label"] == body["face"]["label"]
    assert body["probability"] == pytest.approx(face["confidence"], abs=1e-5)
    assert body["face"]["box"] == face["box"]
    assert len(body["face"]["landmarks"]) == 5
    assert body["model"]["name"] == "tiny"
    grid = np.array(body["grid"])
    assert grid.shape == (8, 8)
    assert np.abs(grid).max() > 0
    crop, heat_map = decode(body["crop"]), decode(body["heat_map"])
    size_px = client.get("/api/v1/model").json()["face"]["size_px"]
    assert crop.shape == (size_px, size_px)
    assert heat_map.shape == (size_px, size_px, 4)
    assert crop.std() > 10
    assert heat_map[..., 3].std() > 10


def test_a_form_answers_like_a_raw_body(client: httpx.Client, astronaut_png: bytes) -> None:
    raw = client.post(URL, content=astronaut_png)
    form = client.post(URL, files={"file": ("a.png", astronaut_png, "image/png")})
    assert form.json() == raw.json()


def test_another_class_on_demand(client: httpx.Client, astronaut_png: bytes) -> None:
    top = client.post(URL, content=astronaut_png).json()
    labels = client.get("/api/v1/model").json()["labels"]
    other = next(label for label in labels if label != top["label"])
    body = client.post(URL, params={"label": other}, content=astronaut_png).json()
    assert body["label"] == other
    assert body["face"] == top["face"]
    assert body["probability"] == top["face"]["probabilities"][other]
    assert body["grid"] != top["grid"]
    assert body["crop"] == top["crop"]


@pytest.mark.parametrize("label", ["joy", "Happiness", "", "<script>"])
def test_unknown_classes_are_told_the_known_ones(
    client: httpx.Client, astronaut_png: bytes, label: str
) -> None:
    response = client.post(URL, params={"label": label}, content=astronaut_png)
    check_documented(client, response)
    detail = problem_of(response, 422, "invalid_request")["detail"]
    assert f"`{label}`" in detail
    for known in client.get("/api/v1/model").json()["labels"]:
        assert f"`{known}`" in detail


def test_no_face_is_a_problem_of_its_own(client: httpx.Client, gradient_jpg: bytes) -> None:
    response = client.post(URL, content=gradient_jpg)
    check_documented(client, response)
    assert "a whole face" in problem_of(response, 422, "no_face_found")["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"", 400, "empty_image", id="empty"),
        pytest.param(bytes(11 * MIB), 413, "body_too_large", id="11 MiB"),
        pytest.param(b"this is not a picture", 415, "unsupported_image", id="text"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(64), 422, "damaged_image", id="damaged"),
    ],
)
def test_bodies_have_the_limits_of_analyses(
    client: httpx.Client, body: bytes, status: int, code: str
) -> None:
    response = client.post(URL, content=body)
    check_documented(client, response)
    problem_of(response, status, code)
    problem_of(client.post("/api/v1/analyze", content=body), status, code)


def test_pages_of_others_get_nothing(client: httpx.Client, astronaut_png: bytes) -> None:
    headers = {"Origin": "https://evil.example"}
    problem_of(client.post(URL, content=astronaut_png, headers=headers), 403, "origin_not_allowed")
    problem_of(client.get(URL), 405, "method_not_allowed")


def test_explanations_take_the_places_of_pictures(start: Start, astronaut_png: bytes) -> None:
    """While a body is on its way it has the only place; the next picture is told to come back."""
    small = start(max_waiting=1)

    def interrupted() -> Any:
        yield astronaut_png[:1000]
        with httpx.Client(base_url=small.url) as second:
            problem_of(second.post(URL, content=astronaut_png), 503, "busy")
        yield astronaut_png[1000:]

    with httpx.Client(base_url=small.url, timeout=30) as first:
        assert first.post(URL, content=interrupted()).status_code == 200
        assert first.post(URL, content=astronaut_png).status_code == 200
