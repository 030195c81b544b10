"""The JSON of the REST API, as its documentation shows it."""

from typing import Literal

from pydantic import BaseModel, Field

from fer_gateway.contract import Fraction
from fer_gateway.doubt import REASONS, Reason

REASONS_TEXT = " ".join(f"`{reason}`: {meaning}" for reason, meaning in REASONS.items())


class BoxBody(BaseModel):
    """A rectangle in fractions 0..1 of the picture's width and height; (`x`, `y`) is its top left corner."""

    x: Fraction
    y: Fraction
    width: Fraction
    height: Fraction


class QualityBody(BaseModel):
    """What the picture of a face is like; null where it needs landmarks that were not found."""

    size_px: float = Field(description="Side of the face in pixels of the picture.")
    sharpness: Fraction = Field(
        description="Steepness of the edges: 0.4 is usual, 0.1 is out of focus or moved."
    )
    brightness: Fraction = Field(description="Mean grey level.")
    contrast: float = Field(ge=0, le=0.5, description="Standard deviation of the grey levels.")
    aligned: bool = Field(description="Whether the face was cut by landmarks; otherwise by its box.")
    overexposed: Fraction = Field(description="Share of the face that is white.")
    inside: Fraction = Field(description="Share of the face's frame that lies inside the picture.")
    yaw_degrees: float | None = Field(description="Turned to the person's own left (positive) or right.")
    pitch_degrees: float | None = Field(description="Turned up (positive) or down.")
    roll_degrees: float | None = Field(description="Tilted clockwise on the screen (positive).")


class FaceBody(BaseModel):
    """One face."""

    box: BoxBody
    label: str = Field(description="The most probable emotion.", examples=["happiness"])
    confidence: Fraction = Field(description="Its probability.")
    probabilities: dict[str, Fraction] = Field(description="Every emotion; the sum is 1.")
    uncertain: bool = Field(
        description="Whether the answer should not be relied on; `label` stays the most probable emotion."
    )
    reasons: list[Reason] = Field(description=f"Why; empty where it is not uncertain. {REASONS_TEXT}")
    quality: QualityBody
    landmarks: list[tuple[float, float]] | None = Field(
        description="Right eye, left eye, nose, right and left corner of the mouth (the person's own), in "
        "fractions of the picture; null where not asked for, or where they were not found."
    )


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
