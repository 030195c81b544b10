"""`export`: write the ONNX file of a run, with its card scored on the test part."""

import argparse

from fer_gateway.contract import Framing, Provenance
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.datasets import open_data
from fer_training.data.prepare import is_prepared
from fer_training.data.votes import Rule
from fer_training.learning.origin import Origin, require_labels
from fer_training.learning.run_folder import CALIBRATION, FRAMING, read_experiment, read_step
from fer_training.measure.report import print_table
from fer_training.release.calibrate import Calibration
from fer_training.release.export import add_evaluations, evaluate_model, export
from fer_training.release.provenance import own_provenance, voted_provenance


def run(arguments: argparse.Namespace) -> None:
    """Export, score the exported file, and put the scores into its card."""
    folder, out = arguments.run_folder, arguments.out
    landmarks = LandmarkModel.open(arguments.landmarks)
    framing_step = f"framing --run {folder}"
    calibration = Calibration.model_validate_json(read_step(folder / CALIBRATION, f"calibrate {folder}"))
    framing = Framing.model_validate_json(read_step(folder / FRAMING, framing_step))
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    origin = require_labels(folder, data.classes, arguments.data)
    voted = data.split("test", "majority", twins=False).voted
    export(
        folder / calibration.weights,
        out,
        name=arguments.name,
        version=arguments.version,
        temperature=calibration.temperature,
        framing=framing,
        template=None if read_experiment(folder).crop == "box-v1" else landmarks.card.template,
        doubt=calibration.doubt,
        half_weights=arguments.half_weights,
        labels=origin.labels,
        origin=_provenance(arguments, origin, voted=voted),
    )
    model = EmotionModel.open(out)
    rules: tuple[Rule, ...] = ("majority", "probability") if voted else ("majority",)
    evaluations = [
        evaluate_model(model, landmarks, data.split("test", rule, twins=False), data.title("test", rule))
        for rule in rules
    ]
    card = add_evaluations(out, evaluations)
    print(f"`{out}`: {card.name} {card.version}, {out.stat().st_size / 1e6:.1f} MB")
    for evaluation in evaluations:
        print_table(evaluation)


def _provenance(arguments: argparse.Namespace, origin: Origin, *, voted: bool) -> Provenance:
    """What the run and its data know of where the weights come from; `--notes` instead of the last part."""
    if voted:
        distill = read_experiment(arguments.run_folder).distill
        known = voted_provenance(
            prepared=is_prepared(arguments.data) if origin.prepared is None else origin.prepared,
            weights=origin.weights,
            teachers=len(distill.weights) if distill is not None else 0,
        )
    else:
        known = own_provenance(origin.data, origin.faces, origin.weights)
    return known.model_copy(update={"notes": arguments.notes}) if arguments.notes else known
