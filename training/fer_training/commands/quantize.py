"""`quantize`: a model in fewer bits, measured beside its float32 and released only if it answers alike."""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from tqdm import tqdm

from fer_gateway.contract import Doubt, Evaluation, ModelCard, Precision
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.datasets import DataSet, open_data
from fer_training.data.labelled import LabelledFaces
from fer_training.errors import DataError, QuantisationError
from fer_training.measure.predictions import serving_crops
from fer_training.network.graph import check_batches, rewrite_card
from fer_training.network.onnx_file import copy_into_place
from fer_training.release.doubt import measure_doubt
from fer_training.release.export import evaluate_model
from fer_training.release.layer_kinds import KINDS
from fer_training.release.parity import check_gates, compare
from fer_training.release.quantize import write_variant
from fer_training.release.variants import Cut, Measured, measure_variants, table


@dataclass(frozen=True, slots=True)
class _Faces:
    """The three parts as the model sees them: for ranges, for the choice, for the report."""

    ranges: Cut
    validation: Cut
    test: Cut


def run(arguments: argparse.Namespace) -> None:
    """Build in a temporary folder; `--out` appears only after all gates."""
    _check_asked(arguments)
    model = EmotionModel.open(arguments.model)
    if model.card.precision != "float32":
        raise QuantisationError(
            f"`{arguments.model}` is {model.card.precision} already; name the float32 model it was made from"
        )
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    landmarks = LandmarkModel.open(arguments.landmarks)
    if data.classes != model.card.labels:
        raise DataError(
            f"`{arguments.data}` has the classes {list(data.classes)}, the model {list(model.card.labels)}; "
            "expected data like the one it was trained on"
        )
    faces = _cut(arguments, data, model, landmarks)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.sensitivity:
            _print_sensitivity(arguments.model, faces, Path(folder))
        precisions: set[Precision] = {"float16", "int8"} if arguments.compare or arguments.card else set()
        if arguments.out is not None:
            precisions.add(arguments.precision)
        if not precisions:
            return
        files: dict[Precision, Path] = {"float32": arguments.model}
        for precision in sorted(precisions):
            files[precision] = Path(folder) / f"{precision}.onnx"
            write_variant(
                arguments.model, files[precision], precision, faces.ranges.crops, arguments.in_float
            )
        measured = measure_variants(files, faces.validation, faces.test)
        variants = tuple(one.variant for one in measured.values())
        print(table(variants))
        if arguments.out is not None:
            precision = arguments.precision
            _check(files[precision], measured[precision], faces)
            doubt = _doubt(model.card, measured[precision], faces.validation)
            evaluations = _evaluations(files[precision], data, landmarks)
            own = {"variants": variants, "doubt": doubt, "evaluations": evaluations}
            card = EmotionModel.open(files[precision]).card
            rewrite_card(files[precision], card.model_copy(update=own))
            _release(files[precision], arguments.out)
        if arguments.card:
            rewrite_card(arguments.model, model.card.model_copy(update={"variants": variants}))


def _check_asked(arguments: argparse.Namespace) -> None:
    """Refuse what would do nothing, or replace the model.

    Raises:
        QuantisationError: it is so.
    """
    if not (arguments.out or arguments.compare or arguments.card or arguments.sensitivity):
        raise QuantisationError("nothing to do; give `--out`, `--compare`, `--card` or `--sensitivity`")
    if arguments.out is not None and arguments.out.resolve() == arguments.model.resolve():
        raise QuantisationError(f"`{arguments.out}` is the model itself; give another `--out`")


def _check(path: Path, measured: Measured, faces: _Faces) -> None:
    """All gates, and that no answer depends on its batch."""
    check_gates(measured.parity)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    check_batches(session, faces.test.crops[:64])


def _doubt(card: ModelCard, measured: Measured, validation: Cut) -> Doubt | None:
    """What the threshold of the float32 brings with the answers of the variant."""
    if card.doubt is None:
        return None
    threshold = card.doubt.uncertain_below
    return measure_doubt(measured.validation, validation.labels, threshold, card.doubt.data)


def _evaluations(path: Path, data: DataSet, landmarks: LandmarkModel) -> tuple[Evaluation, ...]:
    """The scores of the variant itself on the test part, by each rule that the data know."""
    model, evaluations = EmotionModel.open(path), {}
    for rule in ("majority", "probability"):
        title = data.title("test", rule)
        if title not in evaluations:
            faces = data.split("test", rule, twins=True)
            evaluations[title] = evaluate_model(model, landmarks, faces, title)
    return tuple(evaluations.values())


def _release(path: Path, out: Path) -> None:
    """Move the finished file to its place in one step."""
    card: ModelCard = EmotionModel.open(path).card
    copy_into_place(path, out)
    print(f"`{out}`: {card.name} {card.version} in {card.precision}, {out.stat().st_size / 1e6:.2f} MB")


def _cut(
    arguments: argparse.Namespace, data: DataSet, model: EmotionModel, landmarks: LandmarkModel
) -> _Faces:
    def cut(faces: LabelledFaces) -> Cut:
        return Cut(serving_crops(model, landmarks, faces.images)[..., None], faces.labels)

    train = data.split("train", "majority", twins=True)
    count = min(arguments.faces, len(train))
    picked = np.random.default_rng(arguments.seed).choice(len(train), count, replace=False)
    return _Faces(
        ranges=cut(train[np.sort(picked)]),
        validation=cut(data.split("validation", "majority", twins=False)),
        test=cut(data.split("test", "majority", twins=True)),
    )


def _print_sensitivity(path: Path, faces: _Faces, folder: Path) -> None:
    """What each kind of layer costs in 8 bits: all are, but one."""
    reference = EmotionModel.open(path).predict(faces.validation.crops)
    print(f"{'in float':<12}{'lost points':>12}{'mean diff':>11}{'greatest':>10}{'agree':>8}{'MB':>7}")
    for kind in tqdm((None, *KINDS), desc="layers", mininterval=1, disable=None):
        out = folder / "one.onnx"
        write_variant(path, out, "int8", faces.ranges.crops, () if kind is None else (kind,))
        answers = EmotionModel.open(out).predict(faces.validation.crops)
        parity = compare(reference, answers, faces.validation.labels)
        print(
            f"{kind or 'none':<12}{parity.lost_points:>12.2f}{parity.mean_difference:>11.5f}"
            f"{parity.greatest_difference:>10.4f}{parity.agreement:>8.4f}{out.stat().st_size / 1e6:>7.2f}"
        )
