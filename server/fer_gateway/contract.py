"""What training promises and serving relies on: the model card and the face crop it was trained with."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

CARD_KEY = "fer.card"
"""Key of the card in the custom metadata of an ONNX file."""

LANDMARK_CARD_KEY = "fer.landmarks"
"""Key of the card in the ONNX file of a landmark model."""

INPUT_NAME = "crops"
"""Graph input: uint8, N x size_px x size_px x 1, grey."""

PROBABILITIES_NAME = "probabilities"
"""Graph output: float32, N x K, in label order, rows sum to 1."""

LOGITS_NAME = "logits"
"""Graph output: float32, N x K, before temperature and softmax."""

EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""The eight classes of FER+, in the order of its vote columns."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Precision = Literal["float32", "float16", "int8"]

Point = tuple[float, float]
"""(x, y)."""

Template = Annotated[tuple[Point, ...], Field(min_length=5, max_length=5)]
"""Where the five points of `vision.landmarks.POINT_NAMES` lie, in fractions of the frame's side."""


class Frozen(BaseModel):
    """A value that cannot change and accepts no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Framing(Frozen):
    """Where the frame of a training face lies, seen from its Haar box (measured, see `fer_training framing`).

    The frame is a square of side `scale` x box side. Its centre is the box centre moved by
    (`offset_x`, `offset_y`) x box side, x to the right, y down.
    """

    scale: float = Field(gt=0.2, lt=5.0)
    offset_x: float = Field(gt=-1.0, lt=1.0)
    offset_y: float = Field(gt=-1.0, lt=1.0)
    faces_measured: int = Field(default=0, ge=0, description="Faces the fit rests on.")


class FaceSpec(Frozen):
    """How a face becomes pixels; everything `vision.align.cut_face` needs to know."""

    algorithm: Literal["box-v1", "landmarks-v1"] = "box-v1"
    size_px: int = Field(ge=16, le=512, description="Side of the square crop.")
    framing: Framing
    template: Template | None = Field(default=None, description="For `landmarks-v1`, and only there.")
    detector: str = "haarcascade_frontalface_default.xml"
    cascade_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _template_fits(self) -> Self:
        if (self.template is not None) != (self.algorithm == "landmarks-v1"):
            raise ValueError("`template` belongs to `landmarks-v1`, and only there")
        return self


class Normalisation(Frozen):
    """For the record only, the graph does it: normalised = pixel / divisor + shift."""

    divisor: float = Field(gt=0)
    shift: float


class SelfTest(Frozen):
    """Expected probabilities (2 x K) for the crops of `inference.self_test.make_crops`."""

    probabilities: tuple[tuple[Fraction, ...], ...] = Field(min_length=2, max_length=2)
    tolerance: float = Field(default=0.02, gt=0, lt=0.2)


class Interval(Frozen):
    """A measured value with its 95 % interval."""

    value: float
    low: float
    high: float


class ClassScores(Frozen):
    """Scores of one class, with 95 % intervals by bootstrap over faces."""

    faces: int = Field(ge=1, description="Faces that carry its label.")
    precision: Interval
    recall: Interval
    f1: Interval


class ReliabilityBin(Frozen):
    """Faces whose confidence lies from `low` to `high`: how sure they were answered, and how often right."""

    low: Fraction
    high: Fraction
    faces: int = Field(ge=1)
    confidence: Fraction = Field(description="Mean over these faces.")
    accuracy: Fraction


class CoveragePoint(Frozen):
    """What it brings to answer only the most confident share of the faces."""

    coverage: Fraction = Field(description="Share of faces that are answered.")
    confidence: Fraction = Field(description="The least confidence among them.")
    error: Fraction = Field(description="Share of wrong answers among them.")


class EntropyBin(Frozen):
    """Faces on which the raters agreed about equally well; mean entropies in bits."""

    faces: int = Field(ge=1)
    votes: float = Field(ge=0)
    prediction: float = Field(ge=0)


class EntropyAgreement(Frozen):
    """Whether the model doubts the faces on which people disagree: entropy of prediction and of votes."""

    spearman: float = Field(ge=-1, le=1)
    pearson: float = Field(ge=-1, le=1)
    bins: tuple[EntropyBin, ...] = Field(description="Unanimous faces, then quarters of the others.")


class CalibrationScores(Frozen):
    """How far probabilities can be believed; 95 % intervals by bootstrap over faces."""

    expected_calibration_error: Interval = Field(
        description="15 bins. Sampling only ever adds to it, so that value and interval lie too high."
    )
    expected_calibration_error_of_chance: float = Field(
        ge=0, description="The mean that perfectly calibrated answers to as many faces would show."
    )
    brier_score: Interval = Field(description="Squared distance to the one-hot label, 0 to 2.")
    negative_log_likelihood: Interval = Field(description="Nats.")
    reliability: tuple[ReliabilityBin, ...] = Field(description="The bins that hold faces.")
    risk_coverage_area: Fraction = Field(description="Mean error over all coverages.")
    risk_coverage: tuple[CoveragePoint, ...]
    entropy: EntropyAgreement | None = Field(default=None, description="Where the raters' votes are known.")


class Evaluation(Frozen):
    """Scores on one named set of faces."""

    data: str = Field(description="Data set, part and rule, for example `FER+ private, majority`.")
    faces: int = Field(ge=1)
    accuracy: Interval
    macro_f1: Interval
    expected_calibration_error: float = Field(ge=0, le=1, description="15 equal-width bins.")
    recall: dict[str, Fraction] = Field(description="Recall of each class.")
    classes: dict[str, ClassScores] = Field(default={}, description="The classes that occur.")
    calibration: CalibrationScores | None = None


class EndToEnd(Frozen):
    """Faces in whole pictures, from detector to label; a face that is not found counts as wrong."""

    data: str = Field(description="The faces, and the pictures they were put into.")
    faces: int = Field(ge=1)
    accuracy: Interval
    crop_accuracy: Interval = Field(description="The same faces, cut at their known place.")
    loss_points: Interval = Field(description="By how many percentage points the first is lower; paired.")
    not_found: Fraction = Field(description="Share of faces without a box of at least this overlap:")
    least_overlap: Fraction = Field(description="Intersection over union of box and pasted face.")
    accuracy_of_found: Fraction
    other_boxes: float = Field(ge=0, description="Boxes that are not the pasted face, per picture.")


class RobustnessPoint(Frozen):
    """Accuracy on faces that were all spoilt in one way."""

    disturbance: str
    strength: float
    unit: str
    accuracy: Fraction
    loss_points: float = Field(description="Percentage points below the same faces as they are.")


class Robustness(Frozen):
    """How accuracy falls as faces get worse."""

    data: str
    faces: int = Field(ge=1)
    accuracy: Fraction = Field(description="On the same faces as they are.")
    points: tuple[RobustnessPoint, ...]


class Doubt(Frozen):
    """The confidence under which an answer is called uncertain, and what that brought on validation faces."""

    uncertain_below: Fraction
    coverage: Fraction = Field(description="Share of faces that stay at or above it.")
    error: Fraction = Field(description="Share of wrong answers among those.")
    data: str = Field(description="The faces it was chosen on.")


class Variant(Frozen):
    """One precision of a model beside its float32: the same faces, timed in turns on one thread."""

    precision: Precision
    bytes: int = Field(ge=1, description="Size of the file.")
    validation_accuracy: Fraction
    test_accuracy: Fraction
    test_calibration_error: Fraction
    agreement: Fraction = Field(description="Share of validation faces with the same label.")
    mean_difference: Fraction = Field(description="Of probabilities, on validation faces.")
    greatest_difference: Fraction
    load_ms: float = Field(gt=0)
    time_of_one: float = Field(gt=0, description="Time for one face over that of float32.")
    time_of_eight: float = Field(gt=0, description="The same for a batch of eight.")


class Provenance(Frozen):
    """Where the weights come from."""

    git_sha: str
    created: str = Field(description="UTC date, ISO 8601.")
    data: tuple[str, ...]
    licence: str
    notes: str = ""


class ModelCard(Frozen):
    """The facts of one model; stored as JSON inside its ONNX file under `fer.card`."""

    format: Literal["fer.card/1"] = "fer.card/1"
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([.-][0-9A-Za-z.-]+)?$")
    labels: tuple[str, ...] = Field(min_length=2)
    face: FaceSpec
    normalisation: Normalisation
    temperature: float = Field(gt=0)
    parameters: int = Field(ge=1)
    multiply_adds: int = Field(ge=1)
    fusion_share: Fraction = Field(description="The learned a of F = a F_MobileNetV2 + (1 - a) F_ViT.")
    evaluations: tuple[Evaluation, ...] = ()
    end_to_end: EndToEnd | None = None
    robustness: Robustness | None = None
    doubt: Doubt | None = None
    precision: Precision = "float32"
    variants: tuple[Variant, ...] = ()
    provenance: Provenance
    self_test: SelfTest

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("`labels` has a name twice")
        for row in self.self_test.probabilities:
            if len(row) != len(self.labels):
                raise ValueError(f"`self_test` has {len(row)} probabilities for {len(self.labels)} labels")
        return self


class LandmarkError(Frozen):
    """Distance of the points from their labels over the distance of the eyes, on one named set of faces."""

    data: str
    faces: int = Field(ge=1)
    mean: float = Field(ge=0)
    median: float = Field(ge=0)
    percentile_95: float = Field(ge=0)


class LandmarkSelfTest(Frozen):
    """Expected points (2 x 5, fractions of the crop) for the crops of `inference.self_test.make_crops`."""

    points: tuple[tuple[Point, ...], ...] = Field(min_length=2, max_length=2)
    tolerance: float = Field(default=0.01, gt=0, lt=0.1)


class LandmarkCard(Frozen):
    """The facts of one landmark model; JSON inside its ONNX file under `fer.landmarks`."""

    format: Literal["fer.landmarks/1"] = "fer.landmarks/1"
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([.-][0-9A-Za-z.-]+)?$")
    size_px: int = Field(ge=16, le=256, description="Side of the square crop that the network sees.")
    margin: float = Field(ge=0, le=1, description="Shown around the frame on each side, in its sides.")
    framing: Framing = Field(description="The frame of the first look, seen from the Haar box.")
    template: Template
    plausible_below: float = Field(gt=0, description="Estimated error, in eye distances, of a usable answer.")
    face_below: float = Field(gt=0, description="From this estimated error on, there is no face at all.")
    parameters: int = Field(ge=1)
    multiply_adds: int = Field(ge=1)
    precision: Precision = "float16"
    errors: tuple[LandmarkError, ...] = ()
    provenance: Provenance
    self_test: LandmarkSelfTest
