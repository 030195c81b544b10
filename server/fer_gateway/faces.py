"""What an analysis finds, as values and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fer_gateway.contract import ModelCard
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.quality import Quality


@dataclass(frozen=True, slots=True)
class Face:
    """One face: where it is, what it shows, and how far to trust that."""

    box: Box
    """Where the face was found, in fractions 0..1 of the picture's width and height."""
    label: str
    """The most probable class of the model card's labels."""
    confidence: float
    """Its probability, 0..1, temperature applied."""
    probabilities: tuple[float, ...]
    """Every class, in label order; the sum is 1."""
    quality: Quality
    """What the picture of the face is like."""
    uncertain: bool = False
    """Whether the answer should not be relied on: there is a reason not to."""
    reasons: tuple[str, ...] = ()
    """Why, see `doubt.REASONS`; empty for a face that is not uncertain."""
    landmarks: tuple[tuple[float, float], ...] | None = None
    """Five points (`vision.landmarks.POINT_NAMES`) in fractions of the picture, where they were asked for."""
    id: int | None = None
    """The same for the same face of a stream; none in a single picture."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one picture holds."""

    faces: tuple[Face, ...]
    """Largest first; empty where no face was found."""
    timing: dict[str, float]
    """Milliseconds: `decode_ms`, `detect_ms`, `landmarks_ms`, `crop_ms`, `infer_ms`, `judge_ms`,
    `total_ms`."""
    width: int
    """Width of the picture in pixels, upright."""
    height: int
    """Height of the picture in pixels, upright."""


def analysis_to_dict(analysis: Analysis, card: ModelCard) -> dict[str, Any]:
    """The JSON of `POST /api/v1/analyze` and `fer-gateway analyze --json`: boxes 0..1, times in ms."""
    return {
        "faces": [face_to_dict(face, card) for face in analysis.faces],
        "timing": {stage: round(duration_ms, 3) for stage, duration_ms in analysis.timing.items()},
        "model": {"name": card.name, "version": card.version},
        "image": {"width": analysis.width, "height": analysis.height},
    }


def face_to_dict(face: Face, card: ModelCard) -> dict[str, Any]:
    """The JSON of one face in an answer of REST."""
    return {
        "box": box_to_dict(face.box),
        "label": face.label,
        "confidence": round(face.confidence, 6),
        "probabilities": {
            label: round(probability, 6)
            for label, probability in zip(card.labels, face.probabilities, strict=True)
        },
        "uncertain": face.uncertain,
        "reasons": list(face.reasons),
        "quality": face.quality.to_dict(),
        "landmarks": points_to_list(face.landmarks),
    }


def box_to_dict(box: Box) -> dict[str, float]:
    """The JSON of a box in fractions of the picture; six decimals are a hundredth of a pixel at 8K."""
    return {side: round(getattr(box, side), 6) for side in ("x", "y", "width", "height")}


def points_to_list(points: Sequence[tuple[float, float]] | None) -> list[list[float]] | None:
    """The JSON of points in fractions of the picture: [[x, y], ...], or null."""
    if points is None:
        return None
    return [[round(x, 6), round(y, 6)] for x, y in points]
