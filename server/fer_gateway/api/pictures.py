"""What every route that takes a picture shares: its documented body and errors, and how it is answered."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from fer_gateway.api.body import FILE_FIELD, MULTIPART, content_type_of, image_of, read_body
from fer_gateway.api.gateway import Gateway
from fer_gateway.api.problems import Problem
from fer_gateway.errors import (
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
)
"""What can be wrong with a posted picture, or with the moment it comes at."""


def documented(*errors: type[GatewayError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these problems."""
    titles: dict[int, list[str]] = {}
    for error in errors:
        titles.setdefault(error.status, []).append(error.title)
    return {status: {"model": Problem, "description": "; ".join(known)} for status, known in titles.items()}


async def answer_picture(request: Request, gateway: Gateway, work: Callable[[bytes], Answer]) -> Answer:
    """What `work` makes of the image file in a request, on a thread of the gateway.

    Raises:
        BodyTooLarge, RequestTimeout: see `read_body`.
        InvalidRequest: see `image_of`.
        Busy, NotReady: the gateway has no place for it, or is not open.
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
