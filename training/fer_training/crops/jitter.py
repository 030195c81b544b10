"""Random shifts, scales and turns of a face's frame."""

import numpy as np
from pydantic import Field

from fer_gateway.contract import Frozen
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Matrix


class Jitter(Frozen):
    """How far a crop may be off: half widths of uniform distributions."""

    shift: float = Field(ge=0, description="Share of the frame's side, in x and y.")
    scale: float = Field(ge=0, lt=1, description="Scale is drawn from 1 - scale to 1 + scale.")
    degrees: float = Field(ge=0)

    def draw(self, random: np.random.Generator) -> Matrix:
        """A random similarity about the middle of the unit square, 2 x 3."""
        scale = 1 + random.uniform(-self.scale, self.scale)
        angle = np.deg2rad(random.uniform(-self.degrees, self.degrees))
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        middle = np.array([0.5, 0.5])
        moved = middle + random.uniform(-self.shift, self.shift, 2)
        return np.column_stack([turn, moved - turn @ middle])

    def moved(self, frame: Box, random: np.random.Generator) -> Box:
        """The square frame shifted and scaled at random; the angle does not count."""
        side = frame.side * (1 + random.uniform(-self.scale, self.scale))
        x, y = np.array(frame.centre) + random.uniform(-self.shift, self.shift, 2) * frame.side
        return Box(float(x) - side / 2, float(y) - side / 2, side, side)
