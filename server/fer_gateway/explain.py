"""What the answer for a face rests on: occlusion sensitivity with the graph that serves."""

import base64
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_gateway.analyzer import Analyzer, Stopwatch
from fer_gateway.contract import ModelCard
from fer_gateway.errors import InvalidRequest, NoFaceFound
from fer_gateway.faces import Face, face_to_dict
from fer_gateway.options import Options
from fer_gateway.vision.align import Grey
from fer_gateway.vision.occlusion import Falls, falls_of_cells, log_odds, occluded, sliding_windows

LARGEST_FACE = Options(max_faces=1, landmarks=True)

_LEAST_EVIDENCE = 0.1
_STRONGEST_ALPHA = 190
_FIRST_COLOUR = 70
"""The darkest colours of the map are left out: they would hide the face below rather than mark it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one class of one face rests on."""

    face: Face
    """The largest face, as `Analyzer.analyze` gives it."""
    label: str
    """The class that is explained."""
    probability: float
    """Its probability for the untouched crop, 0..1."""
    falls: Falls
    """Rows x columns over the crop: by how much that falls with the part hidden; negative where it rises."""
    evidence: NDArray[np.float64]
    """The same of its log odds, in nats: which parts speak for the class, also where it is nearly certain."""
    crop: Grey
    """What the model saw, `size_px` x `size_px`."""


def explain(analyzer: Analyzer, data: bytes, label: str | None = None) -> Explanation:
    """Explain the largest face in a JPEG, PNG or WebP file: its top class, or the class `label`.

    One batch: the crop, and the crop with each square of `sliding_windows` hidden. Only the graph is used, no
    gradients, so that the explanation is right for any precision and execution provider.

    Raises:
        EmptyImage, BodyTooLarge, UnsupportedImage, TooManyPixels, DamagedImage: see `decode_grey`.
        InvalidRequest: the model knows no such label.
        NoFaceFound: there is no face.
    """
    wanted = None if label is None else _class_of(label, analyzer.card)
    grey = analyzer.decode(data)
    places = analyzer.find(grey, LARGEST_FACE, Stopwatch())
    if not places:
        raise NoFaceFound(
            "No face was found in the picture. Send one that shows a whole face from the front, well lit."
        )
    crop = analyzer.cut(grey, places)[0, ..., 0]
    batch = np.concatenate([crop[None], occluded(crop, sliding_windows())])
    probabilities = analyzer.model.predict(batch[..., None]).astype(np.float64)
    face = analyzer.judge(grey, places[0], probabilities[0], LARGEST_FACE)
    explained = int(probabilities[0].argmax()) if wanted is None else wanted
    probability = float(probabilities[0, explained])
    odds = log_odds(probabilities, explained)
    return Explanation(
        face=face,
        label=analyzer.card.labels[explained],
        probability=probability,
        falls=falls_of_cells(probability - probabilities[1:, explained]),
        evidence=falls_of_cells(odds[0] - odds[1:]),
        crop=crop,
    )


def explanation_to_dict(explanation: Explanation, card: ModelCard) -> dict[str, Any]:
    """The JSON of `POST /api/v1/explain`; pictures are PNG data URLs of the same size."""
    return {
        "label": explanation.label,
        "probability": round(explanation.probability, 6),
        "grid": np.round(explanation.falls, 6).tolist(),
        "crop": png_url(explanation.crop),
        "heat_map": png_url(draw_heat_map(explanation.evidence, len(explanation.crop))),
        "face": face_to_dict(explanation.face, card),
        "model": {"name": card.name, "version": card.version},
    }


def draw_heat_map(evidence: NDArray[np.float64], size_px: int) -> NDArray[np.uint8]:
    """Evidence (rows x columns) as a picture to lay over the crop: `size_px` x `size_px` x 4, BGR and alpha.

    Colour and opacity grow with it, relative to the largest; where nothing speaks for it, nothing is seen.
    """
    heat = np.clip(evidence / max(float(evidence.max()), _LEAST_EVIDENCE), 0.0, 1.0).astype(np.float32)
    smooth = np.asarray(cv2.resize(heat, (size_px, size_px), interpolation=cv2.INTER_LINEAR))
    steps = np.round(_FIRST_COLOUR + (255 - _FIRST_COLOUR) * smooth).astype(np.uint8)
    colours = np.asarray(cv2.applyColorMap(steps, cv2.COLORMAP_INFERNO), np.uint8)
    alpha = np.round(_STRONGEST_ALPHA * smooth).astype(np.uint8)
    return np.dstack([colours, alpha])


def png_url(pixels: NDArray[np.uint8]) -> str:
    """A picture (H x W grey, or H x W x 4 BGR and alpha) as a PNG in a `data:` URL."""
    data = cv2.imencode(".png", pixels)[1]
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def _class_of(label: str, card: ModelCard) -> int:
    if label not in card.labels:
        known = "`, `".join(card.labels)
        raise InvalidRequest(f"The model knows no `{label}`. `label` is one of `{known}`.")
    return card.labels.index(label)
