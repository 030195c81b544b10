"""Errors as problem details (RFC 9457)."""

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer_gateway.api.metrics import PROBLEM_KEY
from fer_gateway.errors import GatewayError, InvalidRequest, MethodNotAllowed, NotFound, RateLimited

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:fer-gateway:problem:"
RETRY_AFTER_S = 1
CHALLENGES: Mapping[str, str] = {
    "token_required": "Bearer",
    "token_invalid": 'Bearer error="invalid_token"',
    "token_expired": 'Bearer error="invalid_token"',
    "scope_missing": 'Bearer error="insufficient_scope"',
}
"""What RFC 6750 wants in `WWW-Authenticate`, by the code of a problem."""

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = Field(examples=["urn:fer-gateway:problem:damaged_image"])
    title: str = Field(
        description="What kind of error this is, for people.", examples=["The image is damaged"]
    )
    status: int = Field(description="The HTTP status again.", examples=[422])
    detail: str = Field(description="What happened and what to do about it.")
    code: str = Field(description="What kind of error this is, for programs.", examples=["damaged_image"])
    instance: str = Field(description="The path that was asked for.", examples=["/api/v1/analyze"])
    retry_after_s: int | None = Field(
        default=None, description="With the statuses 429 and 503: seconds after which to try again."
    )
    id: str | None = Field(
        default=None, description="Only with `internal_error`: where to find it in the log."
    )


def problem_members(error: GatewayError, instance: str) -> dict[str, Any]:
    """The members of `error` as a problem at the path `instance`."""
    return {
        "type": f"{TYPE}{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": str(error) or error.title,
        "code": error.code,
        "instance": instance,
        **_retry(error),
    }


def _retry(error: GatewayError) -> dict[str, int]:
    if isinstance(error, RateLimited):
        return {"retry_after_s": error.retry_after_s}
    return {"retry_after_s": RETRY_AFTER_S} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def logged_problem(error: Exception, instance: str) -> dict[str, Any]:
    """The members of an error that nobody foresaw: an id for the client, the traceback for the log."""
    problem_id = uuid.uuid4().hex
    log.error("problem `%s` at `%s`", problem_id, instance, exc_info=error)
    detail = f"This is a fault of the gateway. Its log tells more under the id `{problem_id}`."
    return problem_members(GatewayError(detail), instance) | {"id": problem_id}


def problem_response(members: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    """The HTTP answer to a problem; one that passes asks to be tried again."""
    headers = dict(headers or {})
    if "retry_after_s" in members:
        headers["Retry-After"] = str(members["retry_after_s"])
    if members["code"] in CHALLENGES:
        headers["WWW-Authenticate"] = CHALLENGES[members["code"]]
    if members["status"] == HTTPStatus.REQUEST_TIMEOUT:
        headers["Connection"] = "close"
    return ProblemResponse(members, members["status"], headers, MEDIA_TYPE, code=members["code"])


class ProblemResponse(JSONResponse):
    """Leaves its code where the `Meter` counts it."""

    def __init__(self, *args: Any, code: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        scope[PROBLEM_KEY] = self._code
        await super().__call__(scope, receive, send)


def install_handlers(app: FastAPI) -> None:
    """Make every error of the routes a problem."""
    app.exception_handler(GatewayError)(_on_gateway_error)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_validation_error)


class ErrorBoundary:
    """Answers an unforeseen error with 500 and an id, and forgets requests whose client has left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except ClientDisconnect:
            log.debug("the client of `%s` left", scope["path"])
        except Exception as error:
            if started:
                raise
            await problem_response(logged_problem(error, scope["path"]))(scope, receive, send)


async def _on_gateway_error(request: Request, error: GatewayError) -> JSONResponse:
    return problem_response(problem_members(error, request.url.path))


async def _on_validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    faults = [f"`{'.'.join(str(part) for part in fault['loc'])}`: {fault['msg']}" for fault in error.errors()]
    return problem_response(problem_members(InvalidRequest("; ".join(faults)), request.url.path))


async def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    path = request.url.path
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.NOT_FOUND:
        members = problem_members(NotFound(f"Nothing lives at `{path}`. `/docs` lists the API."), path)
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = headers.get("Allow", "")
        detail = f"`{path}` does not take `{request.method}`, only `{allowed}`."
        members = problem_members(MethodNotAllowed(detail), path)
    else:
        members = {
            "type": "about:blank",
            "title": HTTPStatus(error.status_code).phrase,
            "status": error.status_code,
            "detail": error.detail,
            "code": f"http_{error.status_code}",
            "instance": path,
        }
    return problem_response(members, headers)
