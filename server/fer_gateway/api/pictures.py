"""What every route that takes a picture shares: its documented body and errors, and how it is answered."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from fer_gateway.api.body import FILE_FIELD, MULTIPART, content_type_of, image_of, read_body
from fer_gateway.api.gateway import Gateway
from fer_gateway.api.problems import MEDIA_TYPE, TYPE, Problem
from fer_gateway.errors import (
    AnalysisTimeout,
    BodyTooLarge,
    Busy,
    DamagedImage,
    EmptyImage,
    GatewayError,
    InvalidRequest,
    NotReady,
    OriginNotAllowed,
    RequestTimeout,
    TooManyPixels,
    UnsupportedImage,
    WorkersStuck,
)

Answer = TypeVar("Answer")

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
IMAGE_BODY: Mapping[str, Any] = {
    "required": True,
    "description": f"A JPEG, PNG or WebP file as it is, or as the field `{FILE_FIELD}` of a form.",
    "content": {
        **{media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in IMAGE_TYPES},
        MULTIPART: {
            "schema": {
                "type": "object",
                "required": [FILE_FIELD],
                "properties": {FILE_FIELD: {"type": "string", "format": "binary"}},
            }
        },
    },
}
PICTURE_ERRORS = (
    EmptyImage,
    OriginNotAllowed,
    RequestTimeout,
    BodyTooLarge,
    TooManyPixels,
    UnsupportedImage,
    DamagedImage,
    InvalidRequest,
    Busy,
    NotReady,
    AnalysisTimeout,
    WorkersStuck,
)
"""What can be wrong with a posted picture, or with the moment it comes at."""


def documented(*errors: type[GatewayError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these problems."""
    kinds: dict[int, list[type[GatewayError]]] = {}
    for error in errors:
        kinds.setdefault(error.status, []).append(error)
    return {
        status: {
            "model": Problem,
            "description": "; ".join(error.title for error in known),
            "content": {MEDIA_TYPE: {"examples": {error.code: example(error) for error in known}}},
        }
        for status, known in kinds.items()
    }


def example(error: type[GatewayError]) -> dict[str, Any]:
    """A problem of this kind, as the description of the API shows it."""
    members = {
        "type": f"{TYPE}{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": "What happened, and what to do about it.",
        "code": error.code,
        "instance": "/api/v1/analyze",
    }
    if error is GatewayError:
        members["id"] = "3f2b8c1d9e7a4f6b8d0c2e4a6b8d0f1c"
    return {"summary": error.title, "value": members}


async def answer_picture(request: Request, gateway: Gateway, work: Callable[[bytes], Answer]) -> Answer:
    """What `work` makes of the image file in a request, on a thread of the gateway.

    Raises:
        BodyTooLarge, RequestTimeout: see `read_body`.
        InvalidRequest: see `image_of`.
        Busy, NotReady: the gateway has no place for it, or is not open.
        AnalysisTimeout, WorkersStuck: see `Workers`.
    """
    settings = gateway.settings

    def work_on_image(body: bytes) -> Answer:
        return work(image_of(body, content_type_of(request)))

    with gateway.request_place():
        body = await read_body(
            request, max_bytes=settings.max_body_bytes, timeout_s=settings.receive_timeout_s
        )
        async with gateway.turn() as worker:
            return await worker.run(work_on_image, body)
