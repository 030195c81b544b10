"""The model card: what it accepts, and that it survives JSON unchanged."""

import json
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from pydantic import ValidationError

from fer_gateway.contract import CARD_KEY, EMOTIONS, ModelCard


@pytest.fixture(scope="module")
def card_json(tiny_model: Path) -> str:
    session = onnxruntime.InferenceSession(tiny_model)
    text: str = session.get_modelmeta().custom_metadata_map[CARD_KEY]
    return text


def test_emotions_are_those_of_ferplus_in_its_order() -> None:
    assert EMOTIONS == (
        "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    )  # fmt: skip


def test_json_round_trip(card_json: str) -> None:
    card = ModelCard.model_validate_json(card_json)
    assert card.labels == EMOTIONS
    assert ModelCard.model_validate_json(card.model_dump_json()) == card


def test_a_card_from_before_precision_is_float32(card_json: str) -> None:
    assert "precision" not in json.loads(card_json)
    assert ModelCard.model_validate_json(card_json).precision == "float32"


def test_a_card_cannot_change(card_json: str) -> None:
    card = ModelCard.model_validate_json(card_json)
    with pytest.raises(ValidationError, match="frozen"):
        card.version = "9.9.9"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "fer.card/2"}, "fer.card/1"),
        ({"name": "Two Words"}, "name"),
        ({"version": "one"}, "version"),
        ({"labels": ["a", "a", *EMOTIONS[2:]]}, "twice"),
        ({"labels": ["a", "b", "c"]}, "8 probabilities for 3 labels"),
        ({"temperature": 0}, "temperature"),
        ({"fusion_share": 1.2}, "fusion_share"),
        ({"self_test": {"probabilities": [[1.0] * 8]}}, "self_test"),
        ({"self_test": {"probabilities": [[2.0] * 8, [0.0] * 8]}}, "self_test"),
        ({"surprise": 1}, "surprise"),
        ({"precision": "int4"}, "precision"),
    ],
)
def test_a_wrong_card_is_refused(change: dict[str, Any], message: str, card_json: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModelCard.model_validate(json.loads(card_json) | change)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "box-v2"},
        {"size_px": 8},
        {"framing": {"scale": 0.1, "offset_x": 0, "offset_y": 0}},
        {"framing": {"scale": 1, "offset_x": 1.5, "offset_y": 0}},
        {"cascade_sha256": "ABC"},
    ],
)
def test_a_wrong_crop_is_refused(change: dict[str, Any], card_json: str) -> None:
    card = json.loads(card_json)
    card["face"] |= change
    with pytest.raises(ValidationError, match=next(iter(change))):
        ModelCard.model_validate(card)
