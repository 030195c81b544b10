"""The precisions of one model beside each other: size, accuracy, likeness and speed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import Precision, Variant
from fer_gateway.inference.model import EmotionModel
from fer_training.measure.calibration import expected_calibration_error
from fer_training.measure.metrics import Labels, Probabilities
from fer_training.release.parity import Parity, compare

ROUNDS = 60

_BATCH = 8


@dataclass(frozen=True, slots=True)
class Cut:
    """Faces as a model sees them, N x S x S x 1 uint8, and their labels, N."""

    crops: NDArray[np.uint8]
    labels: Labels


@dataclass(frozen=True, slots=True)
class Measured:
    """A precision of a model, and its answers to the validation faces, N x K."""

    variant: Variant
    parity: Parity
    validation: Probabilities


def measure_variants(
    files: Mapping[Precision, Path], validation: Cut, test: Cut, rounds: int = ROUNDS
) -> dict[Precision, Measured]:
    """Every precision beside the first of `files`, the float32; validation and test faces as it sees them."""
    models = {precision: EmotionModel.open(path) for precision, path in files.items()}
    answers = {precision: model.predict(validation.crops) for precision, model in models.items()}
    reference = next(iter(answers.values()))
    ones = time_ratios(list(models.values()), validation.crops[:1], rounds)
    eights = time_ratios(list(models.values()), validation.crops[:_BATCH], rounds)
    measured: dict[Precision, Measured] = {}
    for index, (precision, model) in enumerate(models.items()):
        parity = compare(reference, answers[precision], validation.labels)
        on_test = model.predict(test.crops)
        variant = Variant(
            precision=precision,
            bytes=files[precision].stat().st_size,
            validation_accuracy=_accuracy(answers[precision], validation.labels),
            test_accuracy=_accuracy(on_test, test.labels),
            test_calibration_error=round(expected_calibration_error(on_test, test.labels), 4),
            agreement=round(parity.agreement, 4),
            mean_difference=round(parity.mean_difference, 5),
            greatest_difference=round(parity.greatest_difference, 4),
            load_ms=round(time_to_load_ms(files[precision]), 1),
            time_of_one=round(ones[index], 2),
            time_of_eight=round(eights[index], 2),
        )
        measured[precision] = Measured(variant, parity, answers[precision])
    return measured


def time_ratios(models: Sequence[EmotionModel], crops: NDArray[np.uint8], rounds: int) -> list[float]:
    """The time of each model over that of the first, for one batch of crops N x S x S x 1.

    The models, warmed up, run in turns, so that a busy machine slows all alike; the median over the rounds.
    """
    times = np.empty((rounds, len(models)))
    for turn in range(rounds):
        for place in range(len(models)):
            index = (turn + place) % len(models)
            start_s = time.perf_counter()
            models[index].predict(crops)
            times[turn, index] = time.perf_counter() - start_s
    return [float(ratio) for ratio in np.median(times / times[:, :1], axis=0)]


def time_to_load_ms(path: Path, times: int = 5) -> float:
    """Median time to read a model and make it ready, without its self-test."""
    spans = []
    for _ in range(times):
        start_s = time.perf_counter()
        EmotionModel.load(path)
        spans.append(time.perf_counter() - start_s)
    return float(np.median(spans)) * 1000


def table(variants: Sequence[Variant]) -> str:
    """One line a precision; differences are to the first."""
    head = f"{'':<9}{'MB':>6}{'validation':>12}{'test':>8}{'ECE':>8}{'agree':>8}{'mean diff':>11}"
    lines = [f"{head}{'greatest':>10}{'load ms':>9}{'time 1':>8}{'time 8':>8}"]
    lines += [
        f"{one.precision:<9}{one.bytes / 1e6:>6.2f}{one.validation_accuracy:>12.4f}{one.test_accuracy:>8.4f}"
        f"{one.test_calibration_error:>8.4f}{one.agreement:>8.4f}{one.mean_difference:>11.5f}"
        f"{one.greatest_difference:>10.4f}{one.load_ms:>9.1f}{one.time_of_one:>8.2f}{one.time_of_eight:>8.2f}"
        for one in variants
    ]
    return "\n".join(lines)


def _accuracy(probabilities: Probabilities, labels: Labels) -> float:
    return round(float((probabilities.argmax(axis=1) == labels).mean()), 4)
