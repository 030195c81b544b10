"""What the picture of a face is like: size, sharpness, light, and where the head is turned."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fer_gateway.vision.align import Grey
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Points


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one face; `None` where they need landmarks that are not plausible."""

    size_px: float
    """Side of the face's frame in pixels of the picture."""
    sharpness: float
    """0 (no detail) .. 1 (as sharp as the crop can show)."""
    brightness: float
    """Mean grey level of the crop, 0..1."""
    contrast: float
    """Standard deviation of the crop's grey levels, 0..0.5."""
    aligned: bool
    """Whether the crop was cut by landmarks; otherwise by the box."""
    yaw_degrees: float | None = None
    """Head turned to the person's own left (positive) or right, estimated from the landmarks."""
    pitch_degrees: float | None = None
    """Head turned up (positive) or down, estimated from the landmarks."""
    roll_degrees: float | None = None
    """Head tilted clockwise on the screen (positive)."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON of the measures, rounded."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def measure_quality(crop: Grey, box: Box, points: Points | None) -> Quality:
    """The measures of a face from its crop (S x S), its box and its points in pixels of the picture."""
    levels = crop / 255.0
    edges = np.abs(np.diff(levels, axis=1)).mean()
    return Quality(
        size_px=box.side,
        sharpness=float(min(1.0, edges * 10)),
        brightness=float(levels.mean()),
        contrast=float(levels.std()),
        aligned=points is not None,
    )
