"""`POST /api/v1/analyze/batch`: several pictures in one form, each with an answer or a problem of its own."""

from collections.abc import Mapping
from functools import partial
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.access import ACCESS_ERRORS, require
from fer_gateway.api.body import (
    FILE_FIELD,
    MAX_FIELDS,
    MULTIPART,
    FormFile,
    content_type_of,
    files_of,
    read_body,
)
from fer_gateway.api.deps import GatewayDependency
from fer_gateway.api.gateway import Gateway
from fer_gateway.api.pictures import documented, example
from fer_gateway.api.problems import Problem, logged_problem, problem_members
from fer_gateway.api.schemas import ANALYSIS_EXAMPLE, AnalysisBody
from fer_gateway.errors import (
    AnalysisTimeout,
    BodyTooLarge,
    Busy,
    GatewayError,
    HostNotAllowed,
    ImageError,
    InvalidRequest,
    NotReady,
    OriginNotAllowed,
    RequestTimeout,
    UnsupportedImage,
    WorkersStuck,
)
from fer_gateway.faces import analysis_to_dict
from fer_gateway.options import Options

BATCH_BODY: Mapping[str, Any] = {
    "required": True,
    "description": f"A form with 1 to {MAX_FIELDS} fields `{FILE_FIELD}`: JPEG, PNG or WebP files.",
    "content": {
        MULTIPART: {
            "schema": {
                "type": "object",
                "required": [FILE_FIELD],
                "properties": {
                    FILE_FIELD: {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_FIELDS,
                        "items": {"type": "string", "format": "binary"},
                    }
                },
            }
        }
    },
}


class BatchItem(BaseModel):
    """What became of one picture: either an analysis or a problem."""

    name: str | None = Field(description="The file name in the form, without a path.", examples=["photo.jpg"])
    analysis: AnalysisBody | None = Field(
        default=None, description="As `/analyze` answers; null on a problem."
    )
    problem: Problem | None = Field(default=None, description="Why this picture was not analysed, else null.")


class BatchBody(BaseModel):
    """The answers to all pictures."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {"name": "photo.jpg", "analysis": dict(ANALYSIS_EXAMPLE), "problem": None},
                        {
                            "name": "notes.txt",
                            "analysis": None,
                            "problem": example(UnsupportedImage)["value"],
                        },
                    ]
                }
            ]
        }
    )

    results: list[BatchItem] = Field(description="One for each picture, in the order of the form.")


router = APIRouter(prefix="/api/v1", responses=documented(HostNotAllowed, GatewayError))


@router.post(
    "/analyze/batch",
    operation_id="analyze_batch",
    openapi_extra={"requestBody": dict(BATCH_BODY)},
    dependencies=[Depends(require("analyze"))],
    responses=documented(
        *ACCESS_ERRORS,
        OriginNotAllowed,
        RequestTimeout,
        BodyTooLarge,
        InvalidRequest,
        Busy,
        NotReady,
        AnalysisTimeout,
        WorkersStuck,
    ),
)
async def analyze_batch(
    request: Request, gateway: GatewayDependency, options: Annotated[Options, Query()]
) -> BatchBody:
    """Analyse several pictures; one that cannot be analysed has a problem, and the others their answers.

    They are analysed one after the other, so that a batch keeps no camera waiting. No picture is stored or
    logged.
    """
    settings, analyzer = gateway.settings, gateway.analyzer
    with gateway.request_place(ceil(settings.max_batch_bytes / settings.max_body_bytes)):
        body = await read_body(
            request,
            max_bytes=settings.max_batch_bytes,
            timeout_s=settings.receive_timeout_s,
            setting="FER_MAX_BATCH_BYTES",
        )
        async with gateway.turn() as worker:
            files = await worker.run(files_of, body, content_type_of(request))
        del body
        if not files:
            raise InvalidRequest(
                f"The form has no field `{FILE_FIELD}`; send one for each picture, "
                f"for example with `curl -F {FILE_FIELD}=@one.jpg -F {FILE_FIELD}=@two.jpg`."
            )
        path = request.url.path
        return BatchBody(results=[await answer(gateway, analyzer, file, options, path) for file in files])


async def answer(
    gateway: Gateway, analyzer: Analyzer, file: FormFile, options: Options, path: str
) -> BatchItem:
    """The analysis of one picture, or its problem."""
    try:
        async with gateway.turn() as worker:
            analysis = await worker.run(partial(analyzer.analyze, options=options), file.content)
    except ImageError as error:
        members = problem_members(error, path)
    except GatewayError:
        raise
    except Exception as error:  # noqa: BLE001 - a picture that breaks a library must not take the others along
        members = logged_problem(error, path)
    else:
        gateway.report(analysis, analyzer.card)
        body = AnalysisBody.model_validate(analysis_to_dict(analysis, analyzer.card))
        return BatchItem(name=file.name, analysis=body)
    gateway.metrics.problem(members["code"])
    return BatchItem(name=file.name, problem=Problem.model_validate(members))
