"""The description of the API: valid, complete, and true of real answers."""

from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import validate

PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.fixture
def description(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return answer


def check(description: dict[str, Any], method: str, response: httpx.Response) -> None:
    """An answer fits what is documented for its status and media type."""
    documented = description["paths"][response.request.url.path][method]["responses"]
    assert str(response.status_code) in documented, sorted(documented)
    media_type = response.headers["content-type"]
    schema = documented[str(response.status_code)]["content"][media_type]["schema"]
    jsonschema.validate(response.json(), schema | {"components": description["components"]})


def test_the_description_is_valid(description: dict[str, Any]) -> None:
    validate(description)


def test_every_route_is_described(description: dict[str, Any]) -> None:
    routes = {(path, method) for path, operations in description["paths"].items() for method in operations}
    assert routes == {
        ("/api/v1/analyze", "post"),
        ("/api/v1/analyze/batch", "post"),
        ("/metrics", "get"),
        ("/api/v1/events", "get"),
        ("/api/v1/model/reload", "post"),
        ("/api/v1/pair", "post"),
        ("/api/v1/devices", "get"),
        ("/api/v1/devices/codes", "post"),
        ("/api/v1/devices/{device_id}", "delete"),
        ("/api/v1/explain", "post"),
        ("/api/v1/model", "get"),
        ("/api/v1/health", "get"),
        ("/api/v1/ready", "get"),
    }


def test_pictures_may_come_raw_or_in_a_form(description: dict[str, Any]) -> None:
    body = description["paths"]["/api/v1/analyze"]["post"]["requestBody"]
    assert body["required"] is True
    raw = {"image/jpeg", "image/png", "image/webp", "application/octet-stream"}
    assert set(body["content"]) == raw | {"multipart/form-data"}
    assert all(body["content"][kind]["schema"] == {"type": "string", "format": "binary"} for kind in raw)


def test_every_error_is_a_problem(description: dict[str, Any]) -> None:
    responses = [
        (status, response)
        for operations in description["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status >= "400"
    ]
    assert len(responses) > 10
    for status, response in responses:
        (media_type,) = response["content"]
        assert media_type == "application/problem+json"
        body = response["content"][media_type]
        assert body["schema"] == PROBLEM
        assert {shown["value"]["status"] for shown in body["examples"].values()} == {int(status)}


def test_examples_are_as_described(description: dict[str, Any]) -> None:
    """Those of problems, and those of answers."""
    components = {"components": description["components"]}
    problems = [
        shown["value"]
        for operations in description["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for body in response.get("content", {}).values()
        for shown in body.get("examples", {}).values()
    ]
    assert len({problem["code"] for problem in problems}) > 20
    for problem in problems:
        jsonschema.validate(problem, PROBLEM | components)
    for name in ("AnalysisBody", "BatchBody"):
        schema = description["components"]["schemas"][name]
        jsonschema.validate(schema["examples"][0], schema | components)


@pytest.mark.parametrize("path", ["/api/v1/model", "/api/v1/health", "/api/v1/ready"])
def test_answers_are_as_described(client: httpx.Client, description: dict[str, Any], path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    check(description, "get", response)
    check(description, "get", client.get(path, headers={"Host": "evil.example"}))


def test_analyses_are_as_described(
    client: httpx.Client, description: dict[str, Any], astronaut_png: bytes, gradient_jpg: bytes
) -> None:
    for picture, faces in ((astronaut_png, 1), (gradient_jpg, 0)):
        response = client.post("/api/v1/analyze", content=picture)
        assert len(response.json()["faces"]) == faces
        check(description, "post", response)


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (400, {"content": b""}),
        (403, {"content": b"x", "headers": {"Origin": "https://evil.example"}}),
        (413, {"content": bytes(11 * 1024 * 1024)}),
        (415, {"content": b"text"}),
        (421, {"content": b"x", "headers": {"Host": "evil.example"}}),
        (422, {"files": {"wrong": b"x"}}),
    ],
)
def test_problems_are_as_described(
    client: httpx.Client, description: dict[str, Any], status: int, arguments: dict[str, Any]
) -> None:
    response = client.post("/api/v1/analyze", **arguments)
    assert response.status_code == status
    check(description, "post", response)
