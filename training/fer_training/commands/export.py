"""`export`: write the ONNX file of a run, with its card scored on the test part."""

import argparse

from fer_gateway.contract import Framing
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.splits import load_split
from fer_training.learning.run_folder import BEST_WEIGHTS, CALIBRATION, FRAMING, read_experiment, read_step
from fer_training.measure.report import print_table
from fer_training.release.calibrate import Calibration
from fer_training.release.export import add_evaluations, evaluate_model, export, set_name


def run(arguments: argparse.Namespace) -> None:
    """Export, score the exported file, and put the scores into its card."""
    folder, out = arguments.run_folder, arguments.out
    landmarks = LandmarkModel.open(arguments.landmarks)
    framing_step = f"framing --run {folder}"
    calibration = Calibration.model_validate_json(read_step(folder / CALIBRATION, f"calibrate {folder}"))
    export(
        folder / BEST_WEIGHTS,
        out,
        name=arguments.name,
        version=arguments.version,
        temperature=calibration.temperature,
        framing=Framing.model_validate_json(read_step(folder / FRAMING, framing_step)),
        template=None if read_experiment(folder).crop == "box-v1" else landmarks.card.template,
        doubt=calibration.doubt,
        half_weights=arguments.half_weights,
    )
    model = EmotionModel.open(out)
    evaluations = [
        evaluate_model(model, landmarks, load_split(arguments.data, "test", rule), set_name("test", rule))
        for rule in ("majority", "probability")
    ]
    card = add_evaluations(out, evaluations)
    print(f"`{out}`: {card.name} {card.version}, {out.stat().st_size / 1e6:.1f} MB")
    for evaluation in evaluations:
        print_table(evaluation)
