"""`landmarks`: train the landmark network, choose when it is plausible, score it, write `landmarks.onnx`."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fer_gateway.contract import LANDMARK_CARD_KEY, LandmarkCard, LandmarkError, LandmarkSelfTest
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.self_test import make_crops
from fer_gateway.vision.cascade import HaarDetector
from fer_training.crops.framing import SMALLEST_BOX_PX
from fer_training.data.labelled import evenly_spread
from fer_training.data.parts import Split
from fer_training.errors import QuantisationError
from fer_training.landmarks.config import LandmarkConfig
from fer_training.landmarks.data import PointedFaces, load_pointed, load_pointed_folder
from fer_training.landmarks.export import graph_points, rounded, write_int8, write_landmarks
from fer_training.landmarks.measure import (
    TEST_JITTER,
    HaarFit,
    fit_haar,
    locate_all,
    mean_template,
    share_of_nothing_taken,
    summarise,
    time_a_face,
)
from fer_training.landmarks.network import LandmarkNet
from fer_training.landmarks.train import LandmarkTrainer
from fer_training.learning.devices import device_named
from fer_training.network.onnx_file import copy_into_place, rewrite_card
from fer_training.network.size import count_multiply_adds, count_parameters
from fer_training.release.provenance import provenance

FALLBACK_SHARE = 0.01
"""Share of jittered validation faces whose landmarks count as implausible."""

NO_FACE_SHARE = 0.005
"""Share of all jittered validation faces, trusted or not, whose landmarks speak against a face."""

RANGE_FACES = 600
"""Training faces that the ranges of int8 are taken from."""

CHECKED_FACES = 800
"""Validation faces on which int8 is compared with float."""

MOST_WORSE = 1.02
"""Mean error of int8 over that of float."""

JITTER_NAME = "+-10 % shift, +-20 % scale, +-15 degrees"


def run(arguments: argparse.Namespace) -> None:
    """Train (or go on), then quantise, measure and export; every number that the card holds is printed."""
    splits = load_pointed(arguments.data, skip_broken=arguments.skip_broken)
    with TemporaryDirectory() as folder:
        trained, out = arguments.trained or Path(folder) / "trained.onnx", Path(folder) / "out.onnx"
        if arguments.trained is None:
            _train(arguments, splits["train"], trained)
        card = LandmarkModel.open(trained).card
        if card.precision != "float16":
            raise QuantisationError(
                f"`{trained}` is in {card.precision} already; name the float16 model it was made from"
            )
        if arguments.precision == "int8":
            write_int8(trained, _some(splits["train"].trusted, RANGE_FACES), out)
            _check(trained, out, _some(splits["validation"].trusted, CHECKED_FACES))
        else:
            copy_into_place(trained, out)
        _measure(arguments, splits, out)
        copy_into_place(out, arguments.out)


def _train(arguments: argparse.Namespace, faces: PointedFaces, out: Path) -> None:
    """Write a model in float; its limits are not measured yet."""
    trusted = faces.trusted
    template = mean_template(trusted)
    fit = fit_haar(_some(trusted, arguments.faces), template, HaarDetector(min_face_px=SMALLEST_BOX_PX))
    _print_fit(fit)
    config = LandmarkConfig(epochs=arguments.epochs)
    trainer = LandmarkTrainer(config, arguments.run_folder, device_named(arguments.device))
    trainer.resume()
    network = trainer.fit(faces).cpu()
    write_landmarks(network, _card(network, config, template.tolist(), fit, "0.1.0"), out)


def _check(trained: Path, quantised: Path, faces: PointedFaces) -> None:
    """Refuse an int8 model that points elsewhere.

    Raises:
        QuantisationError: its mean error is larger by more than 2 %.
    """
    before, now = (
        float(locate_all(LandmarkModel.open(path), faces, TEST_JITTER)[1].mean())
        for path in (trained, quantised)
    )
    print(f"mean error on {len(faces)} validation faces: {before:.4f} in float, {now:.4f} in int8")
    if not now <= MOST_WORSE * before:
        raise QuantisationError(
            f"in int8 the mean error is {now / before - 1:.1%} larger, allowed are {MOST_WORSE - 1:.0%}; "
            "write it in float16"
        )


def _measure(arguments: argparse.Namespace, splits: Mapping[Split, PointedFaces], path: Path) -> None:
    """Put limits and errors into the card of a model, and print them."""
    model = LandmarkModel.open(path)
    validation = splits["validation"]
    card = model.card.model_copy(
        update={
            "plausible_below": _threshold(model, validation.trusted, FALLBACK_SHARE),
            "face_below": _threshold(model, validation, NO_FACE_SHARE),
            "version": arguments.version or model.card.version,
        }
    )
    errors = [_error(model, splits["test"].trusted, f"FER+ test, score >= 0.6, {JITTER_NAME}")]
    if arguments.also:
        other = load_pointed_folder(arguments.also, skip_broken=arguments.skip_broken).trusted
        errors.append(_error(model, other, f"{arguments.also.stem}, score >= 0.6, {JITTER_NAME}"))
    card = card.model_copy(update={"errors": tuple(errors[:1])})
    rewrite_card(path, card, LANDMARK_CARD_KEY)
    model = LandmarkModel.open(path)
    taken = share_of_nothing_taken(model, _some(splits["validation"].trusted, 500))
    print(
        f"`{arguments.out}`: {card.parameters:,} parameters, {card.multiply_adds / 1e6:.1f} M multiply-adds, "
        f"{card.precision}, {path.stat().st_size / 1e3:.0f} kB"
    )
    run_ms, locate_ms = time_a_face(model)
    print(
        f"one look takes {run_ms:.2f} ms, a face with all its looks {locate_ms:.2f} ms (one thread, median)"
    )
    print(f"plausible below an expected error of {card.plausible_below:.4f} eye distances")
    print(
        f"no face from {card.face_below:.4f} on: {taken:.1%} of boxes beside a face are still taken for one"
    )
    for error in errors:
        print(f"{error.data}: {error.faces} faces")
        print(
            f"  mean {error.mean:.4f}   median {error.median:.4f}   95th percentile {error.percentile_95:.4f}"
        )


def _threshold(model: LandmarkModel, faces: PointedFaces, above: float) -> float:
    """The expected error above which lies this share of the faces."""
    located, _ = locate_all(model, faces, TEST_JITTER)
    expected = [answer.expected_error for answer in located]
    return round(float(np.quantile(expected, 1 - above)), 4)


def _error(model: LandmarkModel, faces: PointedFaces, data: str) -> LandmarkError:
    return summarise(locate_all(model, faces, TEST_JITTER)[1], data)


def _card(
    network: LandmarkNet, config: LandmarkConfig, template: list[list[float]], fit: HaarFit, version: str
) -> LandmarkCard:
    expected = graph_points(network, make_crops(LandmarkNet.SIZE_PX))
    return LandmarkCard(
        name="fer-landmarks",
        version=version,
        size_px=LandmarkNet.SIZE_PX,
        margin=config.margin,
        framing=fit.placed.framing,
        template=tuple((round(x, 5), round(y, 5)) for x, y in template),
        plausible_below=0.1,
        face_below=0.3,
        parameters=count_parameters(network),
        multiply_adds=count_multiply_adds(network, LandmarkNet.SIZE_PX),
        provenance=provenance(
            "Started from random weights; labels are pseudo-labels of an established detector."
        ),
        self_test=LandmarkSelfTest(
            points=rounded(expected),
        ),
    )


def _print_fit(fit: HaarFit) -> None:
    placed, framing = fit.placed, fit.placed.framing
    print(
        f"Haar found {framing.faces_measured} of {placed.faces_tried} faces; "
        "frame by landmarks over Haar box:"
    )
    print(f"  scale     {framing.scale:.4f} +- {placed.scale_spread:.4f}")
    print(f"  offset_x {framing.offset_x:+.4f} +- {placed.offset_x_spread:.4f} box sides")
    print(f"  offset_y {framing.offset_y:+.4f} +- {placed.offset_y_spread:.4f} box sides")
    print(f"  roll      {fit.roll_spread_degrees:.1f} degrees (standard deviation)")


def _some(faces: PointedFaces, count: int) -> PointedFaces:
    """`count` faces, evenly spread."""
    keep = np.zeros(len(faces), dtype=bool)
    keep[evenly_spread(len(faces), count)] = True
    return faces[keep]
