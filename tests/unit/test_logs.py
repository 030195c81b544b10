"""The log: readable by people or by programs, and silent on tokens and queries."""

import io
import json
import logging

import pytest

from fer_gateway.logs import JsonFormatter, TextFormatter, redacted

TOKEN = "fer_" + "aB3-_x9Z" * 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer (hidden)"),
        (f"the token {TOKEN} came", "the token (hidden) came"),
        ('"GET /api/v1/model?token=abc&x=1 HTTP/1.1" 200', '"GET /api/v1/model(hidden) HTTP/1.1" 200'),
        ("WebSocket /api/v1/stream?code=1 accepted", "WebSocket /api/v1/stream(hidden) accepted"),
        ("What is it? Nothing = nothing", "What is it? Nothing = nothing"),
        ("fer_gateway.api started", "fer_gateway.api started"),
    ],
)
def test_redacted(text: str, expected: str) -> None:
    assert redacted(text) == expected


def logged(formatter: logging.Formatter) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("fer_gateway.test")
    logger.propagate = False
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.info("request", extra={"route": "/api/v1/model", "status": 200})
    try:
        int(TOKEN)
    except ValueError:
        logger.exception("it `%s` failed\nbadly", "x")
    return stream.getvalue()


def test_json_is_one_object_a_line() -> None:
    request, failure = [json.loads(line) for line in logged(JsonFormatter()).splitlines()]
    assert (request["level"], request["logger"], request["message"]) == (
        "info",
        "fer_gateway.test",
        "request",
    )
    assert (request["route"], request["status"]) == ("/api/v1/model", 200)
    assert request["time"].endswith("+00:00")
    assert failure["message"] == "it `x` failed\nbadly"
    assert "ValueError: invalid literal" in failure["error"]


def test_tracebacks_in_lines_have_no_token_either() -> None:
    text = logged(TextFormatter("%(levelname)s %(message)s"))
    assert "ValueError: invalid literal" in text
    assert TOKEN not in text
