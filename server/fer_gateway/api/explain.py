"""`POST /api/v1/explain`: what the answer for a face rests on."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from fer_gateway.api.access import ACCESS_ERRORS, require
from fer_gateway.api.deps import GatewayDependency
from fer_gateway.api.pictures import IMAGE_BODY, PICTURE_ERRORS, answer_picture, documented
from fer_gateway.api.schemas import FaceBody, ModelName
from fer_gateway.contract import Fraction
from fer_gateway.errors import GatewayError, HostNotAllowed, NoFaceFound
from fer_gateway.explain import explain, explanation_to_dict

PNG = "A PNG as a `data:` URL."


class ExplanationBody(BaseModel):
    """What one emotion of one face rests on: each part of the face is blurred in turn."""

    label: str = Field(description="The emotion that is explained.", examples=["happiness"])
    probability: Fraction = Field(description="Its probability for the untouched face.")
    grid: list[list[float]] = Field(
        description="Rows, from the top, of columns over the face: by how much the probability falls where "
        "that part is blurred; negative where it rises."
    )
    crop: str = Field(description=f"The face as the model saw it, cut and aligned. {PNG}")
    heat_map: str = Field(
        description="Which parts speak for the emotion, in colour and transparent where none does, to be "
        f"laid over the face: the fall of its log odds, since a probability near 1 hardly falls. {PNG}"
    )
    face: FaceBody = Field(description="The face, as `/analyze` gives it, with landmarks.")
    model: ModelName


router = APIRouter(prefix="/api/v1", responses=documented(HostNotAllowed, GatewayError))


@router.post(
    "/explain",
    operation_id="explain",
    openapi_extra={"requestBody": dict(IMAGE_BODY)},
    dependencies=[Depends(require("analyze"))],
    responses=documented(*PICTURE_ERRORS, NoFaceFound, *ACCESS_ERRORS),
)
async def explain_face(
    request: Request,
    response: Response,
    gateway: GatewayDependency,
    label: Annotated[
        str | None, Query(description="The emotion to explain; without it, the most probable one.")
    ] = None,
) -> ExplanationBody:
    """Find the largest face in a picture and show which parts of it the answer rests on.

    The picture is neither stored nor logged.
    """
    analyzer = gateway.analyzer
    explanation = await answer_picture(request, gateway, partial(explain, analyzer, label=label))
    response.headers["Cache-Control"] = "no-store"  # it shows a face
    return ExplanationBody.model_validate(explanation_to_dict(explanation, analyzer.card))
