"""QR codes, where `segno` is there to make them."""

import io

from fer_gateway.errors import ExtraMissing
from fer_gateway.lan.extras import extra

WHITE_ON_BLACK, PLAIN = "\x1b[97;40m", "\x1b[0m"
"""So that light modules are light in a terminal of any colours."""


def qr_text(url: str) -> str:
    """A QR code for a terminal, half a character a module; empty where `segno` is not installed."""
    try:
        segno = extra("segno", "A QR code")
    except ExtraMissing:
        return ""
    text = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(text, compact=True, border=2)
    return "\n".join(f"{WHITE_ON_BLACK}{line}{PLAIN}" for line in text.getvalue().splitlines() if line)


def qr_image(url: str) -> str | None:
    """A QR code as a `data:` URL of an SVG, black on white; none where `segno` is not installed."""
    try:
        segno = extra("segno", "A QR code")
    except ExtraMissing:
        return None
    return str(
        segno.make(url, error="m", micro=False).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    )
