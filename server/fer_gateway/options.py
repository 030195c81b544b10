"""What a client may ask for: the query of REST, the `options` of `hello`, the flags of `analyze`."""

from pydantic import Field

from fer_gateway.contract import Fraction, Frozen

MAX_FACES = 64
"""No answer has more faces than this."""


class Options(Frozen):
    """How a picture or a stream is to be analysed; the defaults suit most."""

    max_faces: int = Field(default=MAX_FACES, ge=1, le=MAX_FACES, description="The largest so many faces.")
    min_face: Fraction = Field(
        default=0.0,
        description="Side of the smallest face to look for, as a share of the picture's shorter side; "
        "0 is the gateway's own setting. Larger is faster.",
    )
    uncertain_below: Fraction | None = Field(
        default=None,
        description="Confidence under which a face is `uncertain`; without it, the model card's.",
    )
    landmarks: bool = Field(default=False, description="Whether each face comes with its five points.")


class StreamOptions(Options):
    """`Options`, and what only a stream has."""

    landmarks: bool = Field(default=True, description="Whether each face comes with its five points.")
    smooth: bool = Field(
        default=True, description="Whether probabilities are smoothed over time and labels held steady."
    )


DEFAULT_OPTIONS = Options()
DEFAULT_STREAM_OPTIONS = StreamOptions()
