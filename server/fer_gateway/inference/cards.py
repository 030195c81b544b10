"""ONNX files with a card inside: reading them, and what a graph says of itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import onnxruntime
from pydantic import BaseModel, ValidationError

from fer_gateway.errors import InvalidModel, ModelNotFound
from fer_gateway.inference.providers import open_session

Card = TypeVar("Card", bound=BaseModel)


def open_file(
    path: Path, *, called: str, named_by: str, threads: int, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    """Load the graph of a file; an error says what it is `called` and by what another one is `named_by`.

    Raises:
        ModelNotFound: the file is not there or cannot be read.
        InvalidModel, ProviderUnavailable: see `open_session`.
    """
    try:
        with path.open("rb"):
            pass  # ONNX Runtime reads it by itself: its bytes here would be one more copy in memory
    except OSError as exc:
        raise ModelNotFound(
            f"The {called} `{path}` cannot be read ({exc.strerror}); name one with {named_by}."
        ) from exc
    return open_session(path, threads=threads, providers=providers)


def card_in(
    session: onnxruntime.InferenceSession, path: Path, *, key: str, kind: type[Card], command: str
) -> Card:
    """The card of this kind under `key` in the metadata of a file's graph; `command` writes such files.

    Raises:
        InvalidModel: there is none, or it does not fit.
    """
    text = session.get_modelmeta().custom_metadata_map.get(key)
    if text is None:
        raise InvalidModel(f"`{path}` has no card (metadata `{key}`); make one with `{command}`.")
    try:
        return kind.model_validate_json(text)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or key
        raise InvalidModel(
            f"`{path}`: its card is not valid: `{place}`: {first['msg']}; export the model again."
        ) from exc
