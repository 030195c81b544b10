"""The JSON of the REST API, as its documentation shows it."""

from typing import Literal

from pydantic import BaseModel, Field

from fer_gateway.contract import Fraction


class BoxBody(BaseModel):
    """A rectangle in fractions 0..1 of the picture's width and height; (`x`, `y`) is its top left corner."""

    x: Fraction
    y: Fraction
    width: Fraction
    height: Fraction


class FaceBody(BaseModel):
    """One face."""

    box: BoxBody
    label: str = Field(description="The most probable emotion.", examples=["happiness"])
    confidence: Fraction = Field(description="Its probability.")
    probabilities: dict[str, Fraction] = Field(description="Every emotion; the sum is 1.")


class ModelName(BaseModel):
    """Which model answered."""

    name: str
    version: str


class ImageBody(BaseModel):
    """The picture that was analysed, upright."""

    width: int = Field(description="In pixels.")
    height: int = Field(description="In pixels.")


class AnalysisBody(BaseModel):
    """The faces of one picture."""

    faces: list[FaceBody] = Field(description="Largest first; empty where no face was found.")
    timing: dict[str, float] = Field(description="Milliseconds of each stage and in all.")
    model: ModelName
    image: ImageBody


class HealthBody(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    version: str = Field(description="Of fer-gateway.")


class ReadyBody(BaseModel):
    """The model is open and pictures are analysed."""

    status: Literal["ready"] = "ready"
    model: ModelName
