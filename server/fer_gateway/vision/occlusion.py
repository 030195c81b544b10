"""Occlusion: parts of a crop hidden, and what the falls of a probability say about each part."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.vision.align import Grey

CELLS = 8
"""The crop is divided into so many rows and columns."""

WINDOW_CELLS = 2
"""Side of the square that slides over them, cell by cell; each inner cell is hidden four times."""

BLUR_SIDES = 0.1
"""Standard deviation of the blur that hides, in crop sides: no feature is left, light and skin tone are.

Black or grey squares would be new edges, which change the answer wherever they lie: hiding random cells
costs twice as much probability with black as with this blur.
"""

Cells = NDArray[np.bool_]
"""N x `CELLS` x `CELLS`, or one row of it: which cells are hidden, rows from the top."""

Falls = NDArray[np.float64]
"""By how much a probability falls, -1..1; negative where it rises."""


_LEAST = 1e-9


def sliding_windows() -> Cells:
    """Every place of the square, row by row: (`CELLS` - `WINDOW_CELLS` + 1)^2 masks."""
    places = CELLS - WINDOW_CELLS + 1
    masks = np.zeros((places, places, CELLS, CELLS), np.bool_)
    for row in range(places):
        for column in range(places):
            masks[row, column, row : row + WINDOW_CELLS, column : column + WINDOW_CELLS] = True
    return masks.reshape(-1, CELLS, CELLS)


def occluded(crop: Grey, cells: Cells) -> Grey:
    """The crop (S x S, S at least `CELLS`) with the cells of each mask (N) blurred away: N x S x S."""
    side = crop.shape[0]
    blurred = cv2.GaussianBlur(crop, (0, 0), side * BLUR_SIDES, borderType=cv2.BORDER_REFLECT)
    cell_of_pixel = np.arange(side) * CELLS // side
    hidden = cells[:, cell_of_pixel][:, :, cell_of_pixel]
    pixels: Grey = np.where(hidden, blurred, crop)
    return pixels


def log_odds(probabilities: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """log(p / (1 - p)) of one class for each row (N x K): what speaks for it, also where p is nearly 1.

    1 - p is the sum of the other classes, which keeps its digits there.
    """
    others = np.delete(probabilities, index, axis=1).sum(axis=1)
    odds: NDArray[np.float64] = np.log(np.maximum(probabilities[:, index], _LEAST)) - np.log(
        np.maximum(others, _LEAST)
    )
    return odds


def falls_of_cells(falls: Falls) -> Falls:
    """The mean fall of the windows that hide each cell, `CELLS` x `CELLS`, from one fall a window.

    Of a probability, or of log odds.

    After Zeiler and Fergus 2014, section 4.2, with overlapping squares.
    """
    masks = sliding_windows().astype(np.float64)
    mean: Falls = np.tensordot(falls, masks, axes=1) / masks.sum(axis=0)
    return mean
