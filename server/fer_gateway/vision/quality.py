"""What the picture of a face is like: size, sharpness, light, and where the head is turned."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import FaceSpec
from fer_gateway.vision.align import Grey, framed
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import Points, frame_of
from fer_gateway.vision.pose import estimate_pose

PATCH_PX = 48
"""Faces are measured at most this large: the side of the FER+ faces, whose detail is all the model knows."""

_EDGE_PX = 9
_EDGE_SHARE = 0.2
_PIECE, _STEPS_OF_PIECE = np.ones((1, _EDGE_PX), np.uint8), np.ones((1, _EDGE_PX - 1), np.uint8)
_WHITE = 250
_LEAST_AREA_PX = 1e-6
_FARTHEST_PX = 1e6


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one face; `None` where they need landmarks that are not plausible."""

    size_px: float
    """Side of the face's frame in pixels of the picture."""
    sharpness: float
    """Steepness of the edges, see `edge_steepness`; FER+ faces have 0.4, and 0.2 with a blur of 1 px."""
    brightness: float
    """Mean grey level of the face, 0..1."""
    contrast: float
    """Standard deviation of the face's grey levels, 0..0.5."""
    aligned: bool
    """Whether the crop was cut by landmarks; otherwise by the box."""
    overexposed: float = 0.0
    """Share of the face's pixels that are white, 0..1."""
    inside: float = 1.0
    """Share of the face's frame that lies inside the picture, 0..1."""
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


def measure_quality(grey: Grey, box: Box, spec: FaceSpec, points: Points | None) -> Quality:
    """The measures of a face.

    Args:
        grey: the picture, H x W, uint8.
        box: the Haar box in pixels of `grey`; may reach over its edges.
        spec: of the model card; tells what part of the picture the crop shows.
        points: 5 x 2 in pixels of `grey`, where they are plausible.
    """
    height, width = grey.shape
    if points is not None and not np.abs(points).max() < _FARTHEST_PX:  # NaN too
        points = None
    template = spec.template if points is not None else None
    if points is not None and template is not None:
        frame = frame_of(points, np.array(template))
    else:
        frame = framed(box, spec.framing)
    visible = frame.clipped(width, height)
    patch = cut_patch(grey, visible, frame.side)
    pose = estimate_pose(points) if points is not None else None
    mean, deviation = cv2.meanStdDev(patch)
    return Quality(
        size_px=frame.side,
        sharpness=edge_steepness(patch),
        brightness=float(mean[0, 0]) / 255,
        contrast=float(deviation[0, 0]) / 255,
        aligned=template is not None,
        overexposed=cv2.countNonZero(cv2.threshold(patch, _WHITE - 1, 1, cv2.THRESH_BINARY)[1]) / patch.size,
        inside=min(visible.area / max(frame.area, _LEAST_AREA_PX), 1.0),
        yaw_degrees=pose.yaw_degrees if pose is not None else None,
        pitch_degrees=pose.pitch_degrees if pose is not None else None,
        roll_degrees=pose.roll_degrees if pose is not None else None,
    )


def cut_patch(grey: Grey, visible: Box, side_px: float) -> Grey:
    """The part `visible` (pixels of `grey`), shrunk as much as brings `side_px` to at most `PATCH_PX`.

    Never enlarged, turned or moved by parts of a pixel: whatever is not sharp in it is not so in the picture.
    A part outside the picture is the pixel next to it.
    """
    height, width = grey.shape
    left, top = (min(round(start), size - 1) for start, size in ((visible.x, width), (visible.y, height)))
    right = min(max(round(visible.x + visible.width), left + 1), width)
    bottom = min(max(round(visible.y + visible.height), top + 1), height)
    part = grey[top:bottom, left:right]
    factor = PATCH_PX / max(side_px, PATCH_PX)
    if factor == 1:
        return part
    size = max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def edge_steepness(patch: Grey) -> float:
    """How steep the edges of a patch (H x W) are: 0 for ramps and flat patches, 1 for steps in one pixel.

    Of the pieces of `_EDGE_PX` pixels in a row, the fifth with the widest range of grey levels is taken:
    there are the edges, in a smooth face as in a wrinkled one. Their largest steps from pixel to pixel are
    compared with their ranges, so that light and contrast cancel out and noise hardly counts. The same down
    the columns; the smaller of both, since motion blurs one direction only. (The reciprocal of the edge width
    of Marziliano et al. 2002.)
    """
    if min(patch.shape) < _EDGE_PX:
        return 0.0
    steepness = min(_steepness(patch), _steepness(np.ascontiguousarray(patch.T)))
    ramp = 1 / (_EDGE_PX - 1)
    return min(max((steepness - ramp) / (1 - ramp), 0.0), 1.0)


def _steepness(levels: Grey) -> float:
    """Largest step over range along the rows of H x W levels, over the pieces with the widest range."""
    half = _EDGE_PX // 2
    spread = cv2.morphologyEx(levels, cv2.MORPH_GRADIENT, _PIECE)
    ranges = np.asarray(spread[:, half:-half], np.uint8)
    steps = cv2.absdiff(levels[:, 1:], levels[:, :-1])
    largest = cv2.dilate(steps, _STEPS_OF_PIECE)[:, half : half + ranges.shape[1]]
    wide = (ranges >= _quantile(ranges, 1 - _EDGE_SHARE)).view(np.uint8)
    return cv2.mean(largest, wide)[0] / max(cv2.mean(ranges, wide)[0], 1e-6)


def _quantile(values: NDArray[np.uint8], share: float) -> float:
    """`np.quantile` for one share below 1, in a third of the time."""
    place = share * (values.size - 1)
    below = int(place)
    above = min(below + 1, values.size - 1)
    ordered = np.partition(values.ravel(), (below, above))
    low, high = int(ordered[below]), int(ordered[above])
    return low + (place - below) * (high - low)
