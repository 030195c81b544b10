"""Cards inside ONNX files: what a graph says of itself."""

from typing import TypeVar

import onnxruntime
from pydantic import BaseModel, ValidationError

from fer_gateway.errors import InvalidModel

Card = TypeVar("Card", bound=BaseModel)


def card_in(session: onnxruntime.InferenceSession, key: str, kind: type[Card], command: str) -> Card:
    """The card of this kind under `key` in the metadata of a loaded graph; `command` writes such files.

    Raises:
        InvalidModel: there is none, or it does not fit.
    """
    text = session.get_modelmeta().custom_metadata_map.get(key)
    if text is None:
        raise InvalidModel(f"The ONNX file has no card (metadata `{key}`); make one with `{command}`.")
    try:
        return kind.model_validate_json(text)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or key
        raise InvalidModel(
            f"The model card is not valid: `{place}`: {first['msg']}; export the model again."
        ) from exc
