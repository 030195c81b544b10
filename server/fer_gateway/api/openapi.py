"""The description of the API: FastAPI's, with problems under their own media type."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fer_gateway.api import problems


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application, worked out once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        response["content"] = {problems.MEDIA_TYPE: _problem(response["content"])}
        app.openapi_schema = schema
    return app.openapi_schema


def _problem(content: dict[str, Any]) -> dict[str, Any]:
    """The schema that FastAPI lists under JSON, and the examples of `documented`."""
    return {**content["application/json"], **content.get(problems.MEDIA_TYPE, {})}
