"""Temperature scaling: one number that makes confidence mean what it says (Guo et al. 2017); and doubt."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fer_gateway.contract import Doubt, Frozen
from fer_training.learning.run_folder import BEST_WEIGHTS
from fer_training.measure.calibration import Labels, expected_calibration_error


class Calibration(Frozen):
    """The fit, and what it changed on the faces it was made on; `weights` is the file that it is of."""

    weights: str = BEST_WEIGHTS
    temperature: float
    faces: int
    loss_before: float
    loss_after: float
    expected_calibration_error_before: float
    expected_calibration_error_after: float
    doubt: Doubt | None = None

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def fit_temperature(logits: NDArray[np.float32], labels: Labels) -> Calibration:
    """The temperature with the least cross-entropy, for logits N x K and labels N.

    The loss is convex in 1/T, so that a golden-section search over log T in [-3, 3] finds its minimum.
    """

    def loss(log_temperature: float) -> float:
        scaled = torch.from_numpy(logits).double() / float(np.exp(log_temperature))
        return float(functional.cross_entropy(scaled, torch.from_numpy(labels)))

    best = _golden_section(loss, -3.0, 3.0)
    temperature = float(np.exp(best))
    return Calibration(
        temperature=temperature,
        faces=len(labels),
        loss_before=loss(0.0),
        loss_after=loss(best),
        expected_calibration_error_before=expected_calibration_error(softmax(logits, 1.0), labels),
        expected_calibration_error_after=expected_calibration_error(softmax(logits, temperature), labels),
    )


def softmax(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Probabilities (N x K) of logits / temperature."""
    return np.asarray(functional.softmax(torch.from_numpy(logits).double() / temperature, dim=1).numpy())


def _golden_section(loss: Callable[[float], float], low: float, high: float) -> float:
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    while high - low > 1e-4:
        if loss_left < loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - ratio * (high - low)
            loss_left = loss(left)
        else:
            low, left, loss_left = left, right, loss_right
            right = low + ratio * (high - low)
            loss_right = loss(right)
    return float((low + high) / 2)
