"""The REST API and the stream, under `/api/v1`."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.websockets import WebSocket

from fer_gateway import __version__
from fer_gateway.api.body import FILE_FIELD, MULTIPART, content_type_of, image_of, read_body
from fer_gateway.api.deps import GatewayDependency
from fer_gateway.api.problems import Problem
from fer_gateway.api.schemas import AnalysisBody, HealthBody, ModelName, ReadyBody
from fer_gateway.api.stream import serve_stream
from fer_gateway.contract import ModelCard
from fer_gateway.errors import (
    BodyTooLarge,
    Busy,
    DamagedImage,
    EmptyImage,
    GatewayError,
    HostNotAllowed,
    InvalidRequest,
    NotReady,
    OriginNotAllowed,
    RequestTimeout,
    TooManyPixels,
    UnsupportedImage,
)
from fer_gateway.faces import Analysis, analysis_to_dict

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


def documented(*errors: type[GatewayError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these problems."""
    titles: dict[int, list[str]] = {}
    for error in errors:
        titles.setdefault(error.status, []).append(error.title)
    return {status: {"model": Problem, "description": "; ".join(known)} for status, known in titles.items()}


router = APIRouter(prefix="/api/v1", responses=documented(HostNotAllowed, GatewayError))


@router.post(
    "/analyze",
    operation_id="analyze",
    openapi_extra={"requestBody": dict(IMAGE_BODY)},
    responses=documented(
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
    ),
)
async def analyze(request: Request, gateway: GatewayDependency) -> AnalysisBody:
    """Find every face in a picture and tell what it shows.

    The picture is neither stored nor logged.
    """
    settings = gateway.settings
    analyzer = gateway.analyzer

    def work(body: bytes) -> Analysis:
        return analyzer.analyze(image_of(body, content_type_of(request)))

    with gateway.request_place():
        body = await read_body(
            request, max_bytes=settings.max_body_bytes, timeout_s=settings.receive_timeout_s
        )
        async with gateway.turn() as worker:
            analysis = await worker.run(work, body)
    return AnalysisBody.model_validate(analysis_to_dict(analysis, analyzer.card))


@router.get("/model", operation_id="model", responses=documented(NotReady))
async def model(gateway: GatewayDependency) -> ModelCard:
    """The card of the model that answers: its labels, what it was trained on, and how well it does."""
    return gateway.analyzer.card


@router.get("/health", operation_id="health")
async def health() -> HealthBody:
    """Whether the process is alive."""
    return HealthBody(version=__version__)


@router.get("/ready", operation_id="ready", responses=documented(NotReady))
async def ready(gateway: GatewayDependency) -> ReadyBody:
    """Whether pictures are analysed now; 503 while the gateway starts or stops."""
    card = gateway.analyzer.card
    return ReadyBody(model=ModelName(name=card.name, version=card.version))


@router.websocket("/stream")
async def stream(websocket: WebSocket, gateway: GatewayDependency) -> None:
    """Camera frames up and emotions down, see `protocol`."""
    await serve_stream(websocket, gateway)
