"""A picture to the emotions of its faces: the whole pipeline, synchronous, free of any web framework."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import ModelCard
from fer_gateway.doubt import doubts
from fer_gateway.faces import Analysis, Face
from fer_gateway.inference import glimpse
from fer_gateway.inference.landmarks import LandmarkModel, Located
from fer_gateway.inference.model import EmotionModel
from fer_gateway.inference.proposals import SMALLEST_FACE, ProposalModel, borne_out
from fer_gateway.models import PACKAGED_LANDMARKS, PACKAGED_MODEL, PACKAGED_PROPOSALS
from fer_gateway.options import DEFAULT_OPTIONS, MAX_FACES, Options
from fer_gateway.vision.align import Grey, box_framed_by, cut_face
from fer_gateway.vision.cascade import cascade_warning
from fer_gateway.vision.decode import MAX_BYTES, MAX_PIXELS, decode_grey
from fer_gateway.vision.detect import FaceDetector
from fer_gateway.vision.geometry import Box
from fer_gateway.vision.landmarks import frame_of
from fer_gateway.vision.quality import measure_quality


@dataclass(frozen=True, slots=True)
class Place:
    """Where one face lies in a picture: its box in pixels, and its points where they were found."""

    box: Box
    located: Located


class Analyzer:
    """Decode, detect, locate, cut, infer, judge. One instance serves any number of threads at a time."""

    def __init__(
        self,
        model: EmotionModel,
        detector: FaceDetector,
        landmarks: LandmarkModel,
        proposals: ProposalModel | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        """Put the parts together; without `proposals` every picture is scanned by the detector."""
        self.model = model
        self.detector = detector
        self.landmarks = landmarks
        self.proposals = proposals
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    @classmethod
    def open(
        cls,
        model: Path = PACKAGED_MODEL,
        landmarks: Path = PACKAGED_LANDMARKS,
        *,
        threads: int = 1,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
    ) -> Self:
        """Open the models and the detector that the emotion model's card names.

        A model that was trained on faces cut by the box alone, `box-v1`, gets the detector's boxes, which its
        card's framing was measured on: those of the proposal network follow the landmarks.

        Raises:
            ModelNotFound, InvalidModel, SelfTestFailed: see `EmotionModel.open` and `LandmarkModel.open`.
            ProviderUnavailable: ONNX Runtime here has no such provider.
            DetectorUnavailable: OpenCV here has no Haar cascades.
        """
        emotion_model = EmotionModel.open(model, threads=threads, providers=providers)
        return cls(
            emotion_model,
            FaceDetector(emotion_model.card.face.detector),
            LandmarkModel.open(landmarks),
            None if emotion_model.card.face.algorithm == "box-v1" else ProposalModel.open(PACKAGED_PROPOSALS),
            max_bytes=max_bytes,
            max_pixels=max_pixels,
        )

    @property
    def card(self) -> ModelCard:
        """The card of the model that answers."""
        return self.model.card

    def cascade_warning(self) -> str | None:
        """What to know where the cascade here is not that of training; faces are found all the same."""
        return cascade_warning(self.detector.path, self.card.face)

    def analyze(self, data: bytes, options: Options = DEFAULT_OPTIONS) -> Analysis:
        """Find and read every face in a JPEG, PNG or WebP file.

        Raises:
            EmptyImage, BodyTooLarge, UnsupportedImage, TooManyPixels, DamagedImage: see `decode_grey`.
        """
        watch = Stopwatch()
        grey = self.decode(data)
        watch.lap("decode_ms")
        return self.analyze_grey(grey, options, watch)

    def analyze_grey(
        self, grey: Grey, options: Options = DEFAULT_OPTIONS, watch: "Stopwatch | None" = None
    ) -> Analysis:
        """Find and read every face in grey pixels, H x W, uint8, upright; `watch` runs already."""
        watch = watch or Stopwatch()
        places = self.find(grey, options, watch)
        faces = self.read(grey, places, options, watch)
        watch.lap("judge_ms")
        height, width = grey.shape
        return Analysis(faces=tuple(faces), timing=watch.total(), width=width, height=height)

    def decode(self, data: bytes) -> Grey:
        """The grey pixels of an image file, H x W; for the errors see `analyze`."""
        return decode_grey(data, max_bytes=self._max_bytes, max_pixels=self._max_pixels)

    def find(
        self, grey: Grey, options: Options = DEFAULT_OPTIONS, watch: "Stopwatch | None" = None
    ) -> list[Place]:
        """Where the faces of a picture lie, largest first; the largest `max_faces` of them.

        The first look is that of the proposal network. Only where it finds nothing do the cascades scan; what
        they found and landmarks speak against is no face. Where that leaves none, the landmark model has a
        last look everywhere: it knows faces on their side, half covered or crying out.
        """
        watch = watch or Stopwatch()
        places = self.first_look(grey, options.min_face, watch)
        if places:
            return places[: options.max_faces]
        found = self.detector.detect(grey, min_face=options.min_face)[:MAX_FACES]
        watch.lap("detect_ms")
        boxes = [detection.box for detection in found]
        located = self.landmarks.locate(grey, boxes, [detection.roll_degrees for detection in found])
        places = [Place(box, points) for box, points in zip(boxes, located, strict=True) if points.is_face]
        places = places or self._last_look(grey, options.min_face)
        watch.lap("landmarks_ms")
        return places[: options.max_faces]

    def first_look(self, grey: Grey, min_face: float, watch: "Stopwatch") -> list[Place]:
        """The faces that the proposal network suggests and landmarks bear out, largest first."""
        if self.proposals is None:
            return []
        proposed = self.proposals.propose(grey, (min_face or SMALLEST_FACE) * min(grey.shape))
        watch.lap("detect_ms")
        found = borne_out(self.landmarks, grey, proposed)[:MAX_FACES]
        watch.lap("landmarks_ms")
        least_px = min_face * min(grey.shape)
        return [Place(box, located) for box, located in found if box.side >= least_px]

    def _last_look(self, grey: Grey, min_face: float) -> list[Place]:
        seen = glimpse.search(self.landmarks, grey, max(min_face, glimpse.SMALLEST_FACE))
        if seen is None:
            return []
        card = self.landmarks.card
        box = box_framed_by(frame_of(seen.points, np.array(card.template)), card.framing)
        return [Place(box, seen)] if box.side >= min_face * min(grey.shape) else []

    def read(self, grey: Grey, places: Sequence[Place], options: Options, watch: "Stopwatch") -> list[Face]:
        """What the faces at these places show; one batch."""
        probabilities = self.classify(grey, places, watch)
        return [
            self.judge(grey, place, row, options) for place, row in zip(places, probabilities, strict=True)
        ]

    def classify(self, grey: Grey, places: Sequence[Place], watch: "Stopwatch") -> NDArray[np.float64]:
        """The probabilities of the faces at these places, N x K."""
        crops = self.cut(grey, places)
        watch.lap("crop_ms")
        probabilities = self.model.predict(crops)
        watch.lap("infer_ms")
        return probabilities.astype(np.float64)

    def cut(self, grey: Grey, places: Sequence[Place]) -> Grey:
        """The crops of all faces as one batch, N x size_px x size_px x 1."""
        spec = self.card.face
        crops = np.empty((len(places), spec.size_px, spec.size_px, 1), np.uint8)
        for crop, place in zip(crops, places, strict=True):
            crop[..., 0] = cut_face(grey, place.box, spec, place.located.usable_points)
        return crops

    def judge(
        self,
        grey: Grey,
        place: Place,
        probabilities: NDArray[np.float64],
        options: Options,
        *,
        label: int | None = None,
    ) -> Face:
        """The face at a place of the picture, from the probabilities (K) of its classes.

        `label` is the class to show; without it, the most probable one.
        """
        height, width = grey.shape
        inside = place.box.clipped(width, height)
        usable = place.located.usable_points
        quality = measure_quality(grey, place.box, self.card.face, usable)
        best = int(probabilities.argmax()) if label is None else label
        confidence = float(probabilities[best])
        reasons = doubts(confidence, quality, self.card, options.uncertain_below)
        points = None
        if options.landmarks and usable is not None:
            points = tuple((float(x) / width, float(y) / height) for x, y in usable)
        return Face(
            box=Box(inside.x / width, inside.y / height, inside.width / width, inside.height / height),
            label=self.card.labels[best],
            confidence=confidence,
            probabilities=tuple(probabilities.tolist()),
            quality=quality,
            uncertain=bool(reasons),
            reasons=reasons,
            landmarks=points,
        )


class Stopwatch:
    """Milliseconds of the stages of one analysis."""

    def __init__(self) -> None:
        self._started = self._last = perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Count the time since the last lap to `stage`."""
        now = perf_counter()
        self._laps[stage] = self._laps.get(stage, 0.0) + (now - self._last) * 1e3
        self._last = now

    def total(self) -> dict[str, float]:
        """The laps, and `total_ms` since the start."""
        return {**self._laps, "total_ms": (perf_counter() - self._started) * 1e3}
