"""The REST API and the stream, under `/api/v1`."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.websockets import WebSocket

from fer_gateway import __version__
from fer_gateway.api.access import ACCESS_ERRORS, access_of, require
from fer_gateway.api.deps import GatewayDependency
from fer_gateway.api.pictures import IMAGE_BODY, PICTURE_ERRORS, answer_picture, documented
from fer_gateway.api.schemas import AnalysisBody, HealthBody, ModelName, ReadyBody
from fer_gateway.api.stream import serve_stream
from fer_gateway.contract import ModelCard
from fer_gateway.errors import GatewayError, HostNotAllowed, NotReady, WorkersStuck
from fer_gateway.faces import analysis_to_dict
from fer_gateway.options import Options

router = APIRouter(prefix="/api/v1", responses=documented(HostNotAllowed, GatewayError))


@router.post(
    "/analyze",
    operation_id="analyze",
    openapi_extra={"requestBody": dict(IMAGE_BODY)},
    dependencies=[Depends(require("analyze"))],
    responses=documented(*PICTURE_ERRORS, *ACCESS_ERRORS),
)
async def analyze(
    request: Request, gateway: GatewayDependency, options: Annotated[Options, Query()]
) -> AnalysisBody:
    """Find every face in a picture and tell what it shows, and how far to rely on that.

    The picture is neither stored nor logged.
    """
    analyzer = gateway.analyzer
    analysis = await answer_picture(request, gateway, partial(analyzer.analyze, options=options))
    gateway.report(analysis, analyzer.card)
    return AnalysisBody.model_validate(analysis_to_dict(analysis, analyzer.card))


@router.get(
    "/model",
    operation_id="model",
    dependencies=[Depends(require("analyze"))],
    responses=documented(NotReady, *ACCESS_ERRORS),
)
async def model(gateway: GatewayDependency) -> ModelCard:
    """The card of the model that answers: its labels, what it was trained on, and how well it does."""
    return gateway.analyzer.card


@router.get("/health", operation_id="health", responses=documented(WorkersStuck))
async def health(request: Request, gateway: GatewayDependency) -> HealthBody:
    """Whether the process is alive; 503 where it hangs and must start again. Any probe may ask.

    Version and age are for clients with access.
    """
    gateway.check_alive()
    if not access_of(request).knows(request):
        return HealthBody()
    return HealthBody(version=__version__, uptime_s=gateway.uptime_s)


@router.get("/ready", operation_id="ready", responses=documented(NotReady, WorkersStuck))
async def ready(request: Request, gateway: GatewayDependency) -> ReadyBody:
    """Whether pictures are analysed now; 503 while the gateway starts or stops. Any probe may ask."""
    gateway.check_ready()
    card = gateway.analyzer.card
    if not access_of(request).knows(request):
        return ReadyBody()
    return ReadyBody(model=ModelName(name=card.name, version=card.version))


@router.websocket("/stream")
async def stream(websocket: WebSocket, gateway: GatewayDependency) -> None:
    """Camera frames up and emotions down, see `protocol`."""
    await serve_stream(websocket, gateway, access_of(websocket))
