"""The stream protocol `fer.v1`: what its messages look like, without any I/O."""

import json
import math
import struct
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from fer_gateway.contract import ModelCard
from fer_gateway.errors import ProtocolViolation
from fer_gateway.faces import Analysis, Face, box_to_dict, points_to_list
from fer_gateway.options import DEFAULT_STREAM_OPTIONS, StreamOptions

SUBPROTOCOL = "fer.v1"
HEADER = struct.Struct("<2sBBId")
"""Magic `FE`, version, flags, u32 sequence, f64 captured_ms; little-endian, 16 bytes."""
MAGIC = b"FE"
VERSION = 1
MAX_TEXT_CHARACTERS = 16 * 1024

CLOSE_INVALID = 1008
"""The client did something that `fer.v1` does not allow."""
CLOSE_FAILED = 1011
"""The gateway is at fault."""
CLOSE_RESTARTING = 1012
"""The gateway shuts down (sent by the server when it is told to end)."""
CLOSE_BUSY = 1013
"""No place for this stream now; try again later."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera frame on its way up."""

    sequence: int
    """The client's number of this frame, u32; comes back as `seq`."""
    captured_ms: float
    """The client's clock when it took the frame, in milliseconds; comes back unchanged."""
    image: bytes
    """The picture, encoded as JPEG."""

    def pack(self) -> bytes:
        """The binary message."""
        return HEADER.pack(MAGIC, VERSION, 0, self.sequence, self.captured_ms) + self.image

    @classmethod
    def unpack(cls, message: bytes, *, max_image_bytes: int) -> Self:
        """The frame in a binary message.

        Raises:
            ProtocolViolation: a header that is cut off or not of `fer.v1`, or more than `max_image_bytes`.
        """
        image_bytes = len(message) - HEADER.size
        if image_bytes < 0:
            raise ProtocolViolation(f"A frame starts with `{HEADER.size}` bytes of header; it had fewer.")
        magic, version, flags, sequence, captured_ms = HEADER.unpack_from(message)
        if (magic, version, flags) != (MAGIC, VERSION, 0):
            raise ProtocolViolation(
                f"A frame starts with `FE`, version `{VERSION}`, flags `0`; `{message[:4].hex()}` came."
            )
        if not math.isfinite(captured_ms):
            raise ProtocolViolation(f"`captured_ms` is a number of milliseconds; `{captured_ms}` came.")
        if image_bytes > max_image_bytes:
            raise ProtocolViolation(
                f"A frame has at most `{max_image_bytes}` bytes of image; `{image_bytes}` came. "
                "Send smaller frames, or raise `FER_MAX_FRAME_BYTES`."
            )
        return cls(sequence, captured_ms, message[HEADER.size :])


class Hello(BaseModel):
    """The first message of a client."""

    type: Literal["hello"]
    token: str | None = None
    options: StreamOptions = DEFAULT_STREAM_OPTIONS


class Reset(BaseModel):
    """What came before has nothing to do with what comes now, for example after a change of camera."""

    type: Literal["reset"]


ClientMessage = Annotated[Hello | Reset, Field(discriminator="type")]
_CLIENT_MESSAGE: TypeAdapter[Hello | Reset] = TypeAdapter(ClientMessage)


def parse_text(text: str) -> Hello | Reset:
    """The message of a client in a text message.

    Raises:
        ProtocolViolation: too long, not JSON, or not a message of `fer.v1`.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise ProtocolViolation(f"A text message has at most `{MAX_TEXT_CHARACTERS}` characters.")
    try:
        return _CLIENT_MESSAGE.validate_json(text)
    except ValidationError as exc:
        fault = exc.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "message"
        raise ProtocolViolation(f"A text is a JSON `hello` or `reset`; `{place}`: {fault['msg']}.") from exc


def encode(message: dict[str, Any]) -> str:
    """The text of a message to the client."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def ready_message(card: ModelCard, window: int) -> dict[str, Any]:
    """The answer to `hello`: the facts of the model and the first `window` credits."""
    return {"type": "ready", "card": card.model_dump(mode="json"), "window": window}


def model_message(card: ModelCard) -> dict[str, Any]:
    """Another model with the same labels answers from the next `result` on; clients may ignore it."""
    return {"type": "model", "card": card.model_dump(mode="json")}


def result_message(frame: Frame, analysis: Analysis, *, dropped: int, credits_: int) -> dict[str, Any]:
    """What `frame` shows; a face without an `id` of its own has its place in the frame, largest first."""
    return {
        "type": "result",
        "seq": frame.sequence,
        "captured_ms": frame.captured_ms,
        "width": analysis.width,
        "height": analysis.height,
        "faces": [_face_members(index, face) for index, face in enumerate(analysis.faces)],
        "timing": {stage: round(duration_ms, 2) for stage, duration_ms in analysis.timing.items()},
        "dropped": dropped,
        "credits": credits_,
    }


def grant_message(credits_: int) -> dict[str, Any]:
    """Credits that come back without a result."""
    return {"type": "grant", "credits": credits_}


def error_message(problem: dict[str, Any], frame: Frame | None = None, credits_: int = 0) -> dict[str, Any]:
    """A problem with the stream, or with one frame of it, whose credit then comes back."""
    message: dict[str, Any] = {"type": "error", "problem": problem}
    if frame is not None:
        message |= {"seq": frame.sequence, "captured_ms": frame.captured_ms, "credits": credits_}
    return message


def _face_members(index: int, face: Face) -> dict[str, Any]:
    return {
        "id": index if face.id is None else face.id,
        "box": box_to_dict(face.box),
        "landmarks": points_to_list(face.landmarks),
        "probabilities": [round(probability, 4) for probability in face.probabilities],
        "label": face.label,
        "confidence": round(face.confidence, 4),
        "uncertain": face.uncertain,
        "reasons": list(face.reasons),
        "quality": face.quality.to_dict(),
    }
