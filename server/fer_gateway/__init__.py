"""Real-time facial emotion recognition at the edge.

    from pathlib import Path
    from fer_gateway import Analyzer, analyze_image

    analyzer = Analyzer.open()
    for face in analyze_image(Path("photo.jpg"), analyzer).faces:
        print(face.label, face.confidence)

Importing the package alone loads nothing: each of the names below brings what it needs when it is first used.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_gateway.analyzer import Analyzer
    from fer_gateway.contract import ModelCard
    from fer_gateway.errors import GatewayError
    from fer_gateway.faces import Analysis, Face
    from fer_gateway.footage import Frame, analyze_camera, analyze_video
    from fer_gateway.library import analyze_image
    from fer_gateway.live import LiveAnalyzer
    from fer_gateway.options import Options, StreamOptions

# ONNX Runtime (from 1.29 on, also on Linux, macOS and Android) keeps an identifier of the machine and tells
# its maker about sessions and models, unless this is set before it is loaded. Nothing leaves this machine.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Analyzer",
    "Face",
    "Frame",
    "GatewayError",
    "LiveAnalyzer",
    "ModelCard",
    "Options",
    "StreamOptions",
    "__version__",
    "analyze_camera",
    "analyze_image",
    "analyze_video",
]

_HOMES: Mapping[str, str] = {
    "Analysis": "faces",
    "Analyzer": "analyzer",
    "Face": "faces",
    "Frame": "footage",
    "GatewayError": "errors",
    "LiveAnalyzer": "live",
    "ModelCard": "contract",
    "Options": "options",
    "StreamOptions": "options",
    "analyze_camera": "footage",
    "analyze_image": "library",
    "analyze_video": "footage",
}


def __getattr__(name: str) -> object:
    """The public name, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"`fer_gateway` has no `{name}`")
    return getattr(import_module(f"fer_gateway.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names, not yet imported ones among them."""
    return sorted(__all__)
