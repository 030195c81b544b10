"""A picture to the emotions of its faces: the whole pipeline, synchronous, free of any web framework."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np

from fer_gateway.contract import ModelCard
from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.align import Grey, cut_face
from fer_gateway.vision.decode import MAX_BYTES, MAX_PIXELS, decode_grey
from fer_gateway.vision.detect import HaarDetector, cascade_sha256
from fer_gateway.vision.geometry import Box


@dataclass(frozen=True, slots=True)
class Face:
    """One face: where it is and what it shows."""

    box: Box
    """The Haar box, in fractions 0..1 of the picture's width and height."""
    label: str
    """The most probable class of the model card's labels."""
    confidence: float
    """Its probability, 0..1, temperature applied."""
    probabilities: tuple[float, ...]
    """Every class, in label order; the sum is 1."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one picture holds."""

    faces: tuple[Face, ...]
    """Largest first; empty where no face was found."""
    timing: dict[str, float]
    """Milliseconds: `decode_ms`, `detect_ms`, `crop_ms`, `infer_ms`, `total_ms`."""
    width: int
    """Width of the picture in pixels, upright."""
    height: int
    """Height of the picture in pixels, upright."""


class Analyzer:
    """Decode, detect, cut, infer. One instance serves any number of threads at a time."""

    def __init__(
        self,
        model: EmotionModel,
        detector: HaarDetector,
        *,
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._model = model
        self._detector = detector
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    @classmethod
    def open(
        cls,
        model: Path,
        *,
        threads: int = 1,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
    ) -> Self:
        """Open the model at this path and the detector that its card names.

        Raises:
            ModelNotFound, InvalidModel, SelfTestFailed: see `EmotionModel.open`.
            ProviderUnavailable: ONNX Runtime here has no such provider.
            DetectorUnavailable: OpenCV here has no Haar cascades.
        """
        emotion_model = EmotionModel.open(model, threads=threads, providers=providers)
        detector = HaarDetector(emotion_model.card.face.detector)
        return cls(emotion_model, detector, max_bytes=max_bytes, max_pixels=max_pixels)

    @property
    def card(self) -> ModelCard:
        """The card of the model that answers."""
        return self._model.card

    def cascade_warning(self) -> str | None:
        """What to know where the cascade here is not that of training; faces are found all the same."""
        spec = self.card.face
        if cascade_sha256(self._detector.path) == spec.cascade_sha256:
            return None
        return (
            f"`{self._detector.path}` is not the `{spec.detector}` that the model was trained with: boxes "
            "and emotions may differ; install `opencv-python-headless>=4.10,<5` from the package index."
        )

    def analyze(self, data: bytes) -> Analysis:
        """Find and read every face in a JPEG, PNG or WebP file.

        Raises:
            EmptyImage, BodyTooLarge, UnsupportedImage, TooManyPixels, DamagedImage: see `decode_grey`.
        """
        started = perf_counter()
        grey = decode_grey(data, max_bytes=self._max_bytes, max_pixels=self._max_pixels)
        decoded = perf_counter()
        boxes = self._detector.detect(grey)
        detected = perf_counter()
        crops = self._cut(grey, boxes)
        cut = perf_counter()
        probabilities = self._model.predict(crops)
        inferred = perf_counter()
        height, width = grey.shape
        return Analysis(
            faces=tuple(
                self._face(box, row.tolist(), width, height)
                for box, row in zip(boxes, probabilities, strict=True)
            ),
            timing={
                "decode_ms": (decoded - started) * 1e3,
                "detect_ms": (detected - decoded) * 1e3,
                "crop_ms": (cut - detected) * 1e3,
                "infer_ms": (inferred - cut) * 1e3,
                "total_ms": (inferred - started) * 1e3,
            },
            width=width,
            height=height,
        )

    def _cut(self, grey: Grey, boxes: Sequence[Box]) -> Grey:
        """The crops of all faces as one batch, N x size_px x size_px x 1."""
        spec = self.card.face
        crops = np.empty((len(boxes), spec.size_px, spec.size_px, 1), np.uint8)
        for crop, box in zip(crops, boxes, strict=True):
            crop[..., 0] = cut_face(grey, box, spec)
        return crops

    def _face(self, box: Box, probabilities: list[float], width: int, height: int) -> Face:
        inside = box.clipped(width, height)
        confidence = max(probabilities)
        return Face(
            box=Box(inside.x / width, inside.y / height, inside.width / width, inside.height / height),
            label=self.card.labels[probabilities.index(confidence)],
            confidence=confidence,
            probabilities=tuple(probabilities),
        )


def analysis_to_dict(analysis: Analysis, card: ModelCard) -> dict[str, Any]:
    """The JSON of `POST /api/v1/analyze` and `fer-gateway analyze --json`: boxes 0..1, times in ms."""
    return {
        "faces": [
            {
                "box": box_to_dict(face.box),
                "label": face.label,
                "confidence": round(face.confidence, 6),
                "probabilities": {
                    label: round(probability, 6)
                    for label, probability in zip(card.labels, face.probabilities, strict=True)
                },
            }
            for face in analysis.faces
        ],
        "timing": {stage: round(duration_ms, 3) for stage, duration_ms in analysis.timing.items()},
        "model": {"name": card.name, "version": card.version},
        "image": {"width": analysis.width, "height": analysis.height},
    }


def box_to_dict(box: Box) -> dict[str, float]:
    """The JSON of a box in fractions of the picture; six decimals are a hundredth of a pixel at 8K."""
    return {side: round(getattr(box, side), 6) for side in ("x", "y", "width", "height")}
