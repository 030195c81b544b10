"""Rectangles in pixel coordinates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels; (`x`, `y`) is its top left corner, y points down.

    Edges are continuous coordinates: pixel i covers [i, i + 1), its centre is at i + 0.5.
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def side(self) -> float:
        """Mean of width and height in pixels."""
        return (self.width + self.height) / 2

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y) in pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    def scaled(self, factor: float) -> "Box":
        """The same rectangle in a picture whose sides are `factor` times as long."""
        return Box(self.x * factor, self.y * factor, self.width * factor, self.height * factor)

    def clipped(self, width: float, height: float) -> "Box":
        """The part inside a picture of `width` x `height` pixels; empty (0 x 0, at the border) outside."""
        left, top = min(max(self.x, 0.0), width), min(max(self.y, 0.0), height)
        right = min(max(self.x + self.width, left), width)
        bottom = min(max(self.y + self.height, top), height)
        return Box(left, top, right - left, bottom - top)


def intersection_over_union(first: Box, second: Box) -> float:
    """Area of the intersection over the area of the union, 0..1 (0 for empty boxes)."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (first.area + second.area - shared)


def overlap_of_smaller(first: Box, second: Box) -> float:
    """Area of the intersection over that of the smaller box, 0..1 (0 for empty boxes)."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(first.area, second.area)
