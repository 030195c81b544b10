"""Whether an answer can be relied on, and why not."""

from collections.abc import Mapping

from fer_gateway.contract import ModelCard
from fer_gateway.vision.quality import Quality

REASONS: Mapping[str, str] = {
    "low_confidence": "The most probable emotion is not probable enough.",
}
"""Every reason with what it means."""


def doubts(
    confidence: float, quality: Quality, card: ModelCard, uncertain_below: float | None = None
) -> tuple[str, ...]:
    """The reasons not to rely on an answer, in the order of `REASONS`; empty where there are none."""
    threshold = uncertain_below
    if threshold is None:
        threshold = card.doubt.uncertain_below if card.doubt is not None else 0.0
    return ("low_confidence",) if confidence < threshold else ()
