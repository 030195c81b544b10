"""The summary of a protocol: all its numbers in one file, for reports and tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from fer_gateway.contract import CalibrationScores, Fraction, Frozen
from fer_training.errors import CheckpointError
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.train import Kernels
from fer_training.measure.calibration import calibration_scores
from fer_training.measure.metrics import confusion_matrix
from fer_training.network.model import Hybrid
from fer_training.network.size import count_multiply_adds, count_parameters
from fer_training.protocols.faces import ProtocolFaces
from fer_training.protocols.fold import FoldResult, Rows, top_classes
from fer_training.protocols.overlap import Overlap, mean_overlap, overlap
from fer_training.protocols.scores import AverageIntervals, Averages, averages, over_folds, over_people
from fer_training.protocols.splits import Fold, Protocol

SUMMARY = "summary.json"


class Plan(Frozen):
    """What decides the numbers of a protocol: a folder holds folds of one plan only."""

    experiment: ExperimentConfig
    protocol: Protocol
    count: int = Field(ge=1, description="Seeds or folds.")
    seed: int
    data: str = Field(description="SHA-256 of pictures and labels.")
    landmarks: str = Field(default="", description="SHA-256 of the model that cut them; older plans lack it.")
    kernels: Kernels = "plain"
    weights: str | None = Field(description="File and SHA-256 of the weights to start from; none: random.")
    fresh: tuple[str, ...] = Field(
        description="Parameters, and rows of the classifier by class, not from these weights."
    )

    @property
    def start(self) -> str:
        """Where training starts, for people."""
        return "from scratch" if self.weights is None else f"from `{self.weights.split(',')[0]}`"

    @property
    def title(self) -> str:
        """The run in a few words."""
        names = {
            "random": f"random 80/20 images, {self.count} seed{'s' * (self.count > 1)}",
            "folds": f"random {self.count}-fold images",
            "subjects": f"subject-disjoint {self.count}-fold",
        }
        kernels = ", fused kernels" * (self.kernels == "fused")
        return f"{self.experiment.name}{self.variant}, {names[self.protocol]}, {self.start}{kernels}"

    @property
    def variant(self) -> str:
        """What differs from the whole hybrid with tokens of stride 16; empty for that."""
        model = self.experiment.model
        parts = {
            "learned": "",
            "half": ", a = 0.5",
            "mobilenet": ", MobileNetV2 alone",
            "vit": ", ViT alone on features",
            "vit-patches": ", ViT alone on patches",
        }
        eight = model.token_stride == 8 and model.fusion not in ("mobilenet", "vit-patches")
        return parts[model.fusion] + ", tokens of stride 8" * eight


class FoldScore(Frozen):
    """One fold."""

    name: str
    train: int
    test: int
    overlap: Overlap
    scores: Averages
    share: Fraction
    seconds: float


class Together(Frozen):
    """What all folds score."""

    mean: AverageIntervals | None = Field(description="Over folds or seeds, t interval; not for one.")
    pooled: AverageIntervals = Field(description="All answers together, bootstrap over people.")


class Summary(Together):
    """A finished protocol."""

    plan: Plan
    classes: tuple[str, ...]
    folds: tuple[FoldScore, ...]
    overlap: Overlap = Field(description="Mean over all test faces.")
    with_mirror: Together | None = Field(
        default=None, description="Of the mean of the answers to a face and its mirror image."
    )
    confusion: tuple[tuple[int, ...], ...] = Field(description="Row = label, column = prediction; all folds.")
    calibration: CalibrationScores = Field(description="Of all answers, no temperature fitted.")
    parameters: int
    multiply_adds: int
    milliseconds: float = Field(description="A face alone through the network, one thread.")

    @property
    def table(self) -> NDArray[np.int64]:
        """The confusion matrix as an array."""
        return np.array(self.confusion)


def summarise(
    plan: Plan,
    faces: ProtocolFaces,
    folds: tuple[Fold, ...],
    results: dict[str, FoldResult],
    milliseconds: float,
) -> Summary:
    """All numbers of a finished protocol; `results` by the names of the folds."""
    labels, kinds = faces.faces.labels, len(faces.faces.classes)
    scores = [_fold_score(faces, fold, results[fold.name]) for fold in folds]
    tests = np.concatenate([fold.test for fold in folds])
    probabilities = np.concatenate([np.array(results[fold.name].probabilities) for fold in folds])
    confusion = confusion_matrix(labels[tests], probabilities.argmax(axis=1), kinds)
    model = Hybrid(plan.experiment.model)
    plain = _together(faces, folds, [results[fold.name].probabilities for fold in folds])
    mirrored = [results[fold.name].with_mirror for fold in folds]
    return Summary(
        plan=plan,
        classes=faces.faces.classes,
        folds=tuple(scores),
        overlap=mean_overlap([score.overlap for score in scores], [score.test for score in scores]),
        mean=plain.mean,
        pooled=plain.pooled,
        with_mirror=_together(faces, folds, [rows for rows in mirrored if rows]) if all(mirrored) else None,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        calibration=calibration_scores(probabilities, labels[tests]),
        parameters=count_parameters(model),
        multiply_adds=count_multiply_adds(model, plan.experiment.model.image_size),
        milliseconds=milliseconds,
    )


def write_summary(folder: Path, summary: Summary) -> None:
    """Put it into the folder of its folds."""
    (folder / SUMMARY).write_text(summary.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_summary(folder: Path) -> Summary:
    """What `crossvalidate` wrote.

    Raises:
        CheckpointError: no finished protocol there, or a damaged file.
    """
    path = folder / SUMMARY
    if not path.is_file():
        raise CheckpointError(
            f"`{path}` does not exist; let `python -m fer_training crossvalidate --run {folder}` end first"
        )
    try:
        return Summary.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise CheckpointError(f"`{path}` cannot be read: {error}") from error


def _together(faces: ProtocolFaces, folds: Sequence[Fold], answers: Sequence[Rows]) -> Together:
    labels, kinds = faces.faces.labels, len(faces.faces.classes)
    predicted = [top_classes(rows) for rows in answers]
    pairs = zip(folds, predicted, strict=True)
    each = [averages(confusion_matrix(labels[fold.test], top, kinds)) for fold, top in pairs]
    tests = np.concatenate([fold.test for fold in folds])
    pooled = over_people(labels[tests], np.concatenate(predicted), faces.subjects[tests], kinds)
    return Together(mean=over_folds(each), pooled=pooled)


def _fold_score(faces: ProtocolFaces, fold: Fold, result: FoldResult) -> FoldScore:
    confusion = confusion_matrix(faces.faces.labels[fold.test], result.predicted(), len(faces.faces.classes))
    return FoldScore(
        name=fold.name,
        train=len(fold.train),
        test=len(fold.test),
        overlap=overlap(fold.train, fold.test, faces.sequences, faces.subjects),
        scores=averages(confusion),
        share=result.share,
        seconds=result.seconds,
    )
