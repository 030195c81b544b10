"""Whether an answer can be relied on, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fer_gateway.contract import ModelCard
from fer_gateway.vision.quality import Quality

Reason = Literal[
    "low_confidence",
    "too_small",
    "cut_off",
    "too_dark",
    "too_bright",
    "low_contrast",
    "blurred",
    "turned_away",
    "tilted",
    "not_aligned",
]

REASONS: Mapping[Reason, str] = {
    "low_confidence": "The most probable emotion is not probable enough.",
    "too_small": "The face has too few pixels.",
    "cut_off": "A good part of the face lies outside the picture.",
    "too_dark": "The face is too dark.",
    "too_bright": "The face is too bright.",
    "low_contrast": "The face has hardly any light and shade.",
    "blurred": "The face is out of focus or moved.",
    "turned_away": "The head is turned too far to the side, up or down.",
    "tilted": "The head is tilted too far, for a model whose faces are not turned upright.",
    "not_aligned": "Eyes, nose and mouth were not found well enough to bring the face into place.",
}
"""Every reason with what it means, in the order in which `doubts` gives them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond which measures answers are wrong too often.

    Where accuracy on the faces of FER+'s public part, spoilt on purpose, is 10 points or more below that on
    the same faces as they are; `python -m fer_training robustness` prints the table, training/DOUBT.md keeps
    it. Light counts by what it does to contrast and not by itself, so that dark skin is no reason.
    """

    size_px: float = 22
    inside: float = 0.75
    contrast: float = 0.05
    dark_below: float = 0.25
    """Brightness under which a lack of contrast is a lack of light."""
    overexposed: float = 0.5
    sharpness: float = 0.2
    turn_degrees: float = 35
    """To the side; FER+ has too few faces that look farther up or down, so the same is taken there."""
    tilt_degrees: float = 25
    """For models of crops that are not turned upright (`box-v1`); others answer the same up to 40 degrees."""


LIMITS = Limits()


def doubts(
    confidence: float, quality: Quality, card: ModelCard, uncertain_below: float | None = None
) -> tuple[Reason, ...]:
    """The reasons not to rely on an answer, in the order of `REASONS`; empty where there are none.

    A face is uncertain where there is any: each stands for a good part more of wrong answers.

    Args:
        confidence: probability of the label, 0..1.
        quality: measures of the face.
        card: of the model; its `doubt` holds the confidence to reach, 0 where it has none.
        uncertain_below: that confidence, where a client asked for another.
    """
    threshold = uncertain_below
    if threshold is None:
        threshold = card.doubt.uncertain_below if card.doubt is not None else 0.0
    turns = [abs(turn) for turn in (quality.yaw_degrees, quality.pitch_degrees) if turn is not None]
    pale, dark = quality.contrast < LIMITS.contrast, quality.brightness < LIMITS.dark_below
    found: dict[Reason, bool] = {
        "low_confidence": confidence < threshold,
        "too_small": quality.size_px < LIMITS.size_px,
        "cut_off": quality.inside < LIMITS.inside,
        "too_dark": pale and dark,
        "too_bright": quality.overexposed > LIMITS.overexposed,
        "low_contrast": pale and not dark,
        "blurred": quality.sharpness < LIMITS.sharpness,
        "turned_away": max(turns, default=0.0) > LIMITS.turn_degrees,
        "tilted": not quality.aligned and abs(quality.roll_degrees or 0.0) > LIMITS.tilt_degrees,
        "not_aligned": quality.roll_degrees is None,
    }
    return tuple(reason for reason in REASONS if found[reason])
