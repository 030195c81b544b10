"""The models that ship inside the package."""

from pathlib import Path

PACKAGED_MODEL = Path(__file__).with_name("default.onnx")
"""Emotions of a face crop."""

PACKAGED_LANDMARKS = Path(__file__).with_name("landmarks.onnx")
"""Five points of a face in a rough box."""

PACKAGED_PROPOSALS = Path(__file__).with_name("proposals.onnx")
"""Where in a picture faces may be."""
