"""The JSON of the REST API, as its documentation shows it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


ANALYSIS_EXAMPLE: Mapping[str, Any] = {
    "faces": [
        {
            "box": {"x": 0.36, "y": 0.12, "width": 0.2, "height": 0.2},
            "label": "happiness",
            "confidence": 0.97,
            "probabilities": {
                "neutral": 0.01, "happiness": 0.97, "surprise": 0.01, "sadness": 0.0,
                "anger": 0.0, "disgust": 0.0, "fear": 0.0, "contempt": 0.01,
            },
            "uncertain": False,
            "reasons": [],
            "quality": {
                "size_px": 102.4, "sharpness": 0.61, "brightness": 0.52, "contrast": 0.21, "aligned": True,
                "overexposed": 0.0, "inside": 1.0,
                "yaw_degrees": -4.1, "pitch_degrees": 2.7, "roll_degrees": 3.9,
            },
            "landmarks": [[0.42, 0.2], [0.5, 0.2], [0.46, 0.24], [0.43, 0.28], [0.49, 0.28]],
        }
    ],
    "timing": {"decode_ms": 2.1, "detect_ms": 14.0, "infer_ms": 4.2, "total_ms": 21.8},
    "model": {"name": "fer-hybrid", "version": "0.2.0"},
    "image": {"width": 512, "height": 512},
}  # fmt: skip


class AnalysisBody(BaseModel):
    """The faces of one picture."""

    model_config = ConfigDict(json_schema_extra={"examples": [dict(ANALYSIS_EXAMPLE)]})

    faces: list[FaceBody] = Field(description="Largest first; empty where no face was found.")
    timing: dict[str, float] = Field(description="Milliseconds of each stage and in all.")
    model: ModelName
    image: ImageBody


class HealthBody(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    version: str | None = Field(default=None, description="Of fer-gateway; null without a token.")
    uptime_s: float | None = Field(
        default=None, ge=0, description="Seconds since it was started; null as well."
    )


class ReadyBody(BaseModel):
    """The model is open and pictures are analysed."""

    status: Literal["ready"] = "ready"
    model: ModelName | None = Field(default=None, description="Null for a client without a token.")
