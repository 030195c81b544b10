"""What operators ask for: metrics, and another model without a restart."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from fer_gateway.api.access import ACCESS_ERRORS, require
from fer_gateway.api.deps import GatewayDependency
from fer_gateway.api.metrics import CONTENT_TYPE
from fer_gateway.api.pictures import documented
from fer_gateway.contract import ModelCard
from fer_gateway.errors import (
    Busy,
    GatewayError,
    HostNotAllowed,
    InvalidModel,
    ModelNotFound,
    NotReady,
    OriginNotAllowed,
    SelfTestFailed,
)

router = APIRouter(responses=documented(HostNotAllowed, GatewayError))


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    dependencies=[Depends(require("analyze"))],
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Metrics."},
        **documented(*ACCESS_ERRORS),
    },
)
async def metrics(gateway: GatewayDependency) -> Response:
    """Streams, frames, stage latencies, faces, errors, the model and the process, for Prometheus."""
    return Response(gateway.metrics.render(), headers={"Content-Type": CONTENT_TYPE})


@router.post(
    "/api/v1/model/reload",
    operation_id="reload_model",
    dependencies=[Depends(require("admin", always=True))],
    responses=documented(
        *ACCESS_ERRORS, OriginNotAllowed, Busy, NotReady, ModelNotFound, InvalidModel, SelfTestFailed
    ),
)
async def reload_model(gateway: GatewayDependency) -> ModelCard:
    """Open the model's file again, test it, and let it answer from the next picture on; its card.

    Put another file in its place first, by a rename. One that cannot serve is a problem, and the old one goes
    on. Streams go on too: they get `model` before its first result; if its labels differ, they end with 1012.
    """
    return await gateway.reload()
