"""`robustness`: accuracy on spoilt faces, for the card; and where the limits of doubt should lie."""

import argparse

import numpy as np
from tqdm import tqdm

from fer_gateway.contract import Robustness
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.datasets import open_data
from fer_training.data.emotion_names import shared_classes
from fer_training.data.labelled import LabelledFaces
from fer_training.data.parts import Split
from fer_training.measure.disturb import DISTURBANCES
from fer_training.measure.robustness import (
    FALL,
    WATCHES,
    Answers,
    Watch,
    answer,
    answer_plain,
    bins_of,
    joined,
    limit_of,
    measure_robustness,
    reference_of,
)
from fer_training.network.graph import rewrite_card
from fer_training.options.robustness import DEFAULT_FACES


def run(arguments: argparse.Namespace) -> None:
    """Print accuracy for each disturbance at each level, then for each measure; or fill the card."""
    model = EmotionModel.open(arguments.model, threads=arguments.threads)
    landmarks = LandmarkModel.open(arguments.landmarks)
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    part: Split = "test" if arguments.card else "validation"
    faces = data.split(part, "majority", twins=False)
    faces = shared_classes(data.classes, model.card.labels).in_model(faces)
    if not arguments.card:
        _print_limits(model, landmarks, faces, faces[: arguments.faces or DEFAULT_FACES])
        return
    faces = faces.some(arguments.faces or len(faces))
    robustness = measure_robustness(model, landmarks, faces, data.title(part, "majority"))
    rewrite_card(arguments.model, model.card.model_copy(update={"robustness": robustness}))
    _print_summary(robustness)


def _print_summary(robustness: Robustness) -> None:
    print(f"{robustness.data}: {robustness.faces:,} faces, accuracy as they are {robustness.accuracy:.4f}")
    for point in robustness.points:
        strength, lost = f"{point.strength:g} {point.unit}", f"{point.loss_points:.2f} points lost"
        print(f"  {point.disturbance:<12}{strength:<16}{point.accuracy:.4f}{lost:>20}")


def _print_limits(
    model: EmotionModel, landmarks: LandmarkModel, faces: LabelledFaces, some: LabelledFaces
) -> None:
    threshold = model.card.doubt.uncertain_below if model.card.doubt is not None else 0.0
    as_they_are = answer_plain(model, landmarks, faces)
    plain = answer_plain(model, landmarks, some)
    _print_head(threshold)
    _print_row("as they are", "", plain, threshold)
    spoilt: dict[str, list[Answers]] = {}
    pairs = [(name, level) for name, how in DISTURBANCES.items() for level in how.levels]
    for name, level in tqdm(pairs, desc="disturbances", mininterval=1, disable=None):
        how = DISTURBANCES[name]
        answers = answer(model, landmarks, some, how, level)
        spoilt.setdefault(name, []).append(answers)
        _print_row(name, f"{level:g} {how.unit}", answers, threshold)
    for watch in WATCHES:
        parts = [part for name in watch.disturbances for part in spoilt[name]]
        reference = reference_of(watch, as_they_are)
        _print_watch(watch, joined([as_they_are, *parts]), reference, threshold)
    _print_places(as_they_are)


def _accuracy(answers: Answers) -> float:
    return float(answers.right.mean())


def _print_head(threshold: float) -> None:
    print(f"error kept: share of wrong answers among those with a confidence of at least {threshold:.3f}")
    print(f"{'':<24}{'faces':>7}{'accuracy':>10}{'confidence':>12}{'error kept':>12}{'landmarks':>11}")


def _print_row(name: str, level: str, answers: Answers, threshold: float) -> None:
    placed = float(np.isfinite(answers.values("roll_degrees")).mean())
    print(
        f"{name:<12}{level:<12}{len(answers.right):>7}{_accuracy(answers):>10.3f}"
        f"{answers.confidence.mean():>12.3f}{answers.error_above(threshold):>12.3f}{placed:>11.3f}"
    )


def _print_watch(watch: Watch, answers: Answers, reference: float, threshold: float) -> None:
    bins = bins_of(watch, answers, threshold)
    if not bins:
        return
    limit = limit_of(watch, bins, reference)
    side = "below" if watch.low_is_bad else "above"
    place = f"{side} {limit:g}" if limit is not None else "nowhere"
    print(f"\n{watch.measure}: {FALL:.0%} less accurate than {reference:.3f} everywhere {place}")
    for piece in bins:
        print(
            f"  {piece.low:>6g} .. {piece.high:<6g}{piece.faces:>7} faces   accuracy {piece.accuracy:.3f}"
            f"   error kept {piece.error_kept:.3f}"
        )


def _print_places(answers: Answers) -> None:
    placed = np.isfinite(answers.values("roll_degrees"))
    print("\nlandmarks, faces as they are")
    for name, mask in (("plausible", placed), ("not plausible", ~placed)):
        if mask.any():
            print(f"  {name:<16}{int(mask.sum()):>7} faces   accuracy {answers.right[mask].mean():.3f}")
