"""`evaluate`: score an ONNX model on a part of FER+."""

import argparse
import json
from pathlib import Path

from fer_gateway.contract import Doubt, Evaluation
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.splits import load_split
from fer_training.measure.metrics import evaluate_probabilities
from fer_training.release.doubt import doubt_line, measure_doubt
from fer_training.release.export import predict_faces, set_name


def run(arguments: argparse.Namespace) -> None:
    """Print a table, or with `--json PATH` (`-` is standard output) one JSON object."""
    model = EmotionModel.open(arguments.model, threads=arguments.threads)
    faces = load_split(arguments.data, arguments.split, arguments.rule, twins=not arguments.drop_twins)
    name = set_name(arguments.split, arguments.rule) + (", twins dropped" if arguments.drop_twins else "")
    probabilities = predict_faces(model, LandmarkModel.open(arguments.landmarks), faces)
    evaluation = evaluate_probabilities(name, model.card.labels, probabilities, faces.labels)
    chosen = model.card.doubt
    doubt = chosen and measure_doubt(probabilities, faces.labels, chosen.uncertain_below, name)
    if arguments.json is None:
        print_table(evaluation)
        if doubt is not None:
            print(f"  {doubt_line(doubt)}")
        return
    text = json.dumps(_flat(evaluation, doubt))
    if arguments.json == Path("-"):
        print(text)
    else:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def print_table(evaluation: Evaluation) -> None:
    """Scores with their intervals, a line each."""
    print(f"{evaluation.data}: {evaluation.faces} faces")
    for name, interval in (("accuracy", evaluation.accuracy), ("macro F1", evaluation.macro_f1)):
        print(f"  {name:<28}{interval.value:.4f}   95 % {interval.low:.4f} .. {interval.high:.4f}")
    print(f"  {'expected calibration error':<28}{evaluation.expected_calibration_error:.4f}")
    for name, recall in evaluation.recall.items():
        print(f"  {'recall ' + name:<28}{recall:.4f}")


def _flat(evaluation: Evaluation, doubt: Doubt | None) -> dict[str, object]:
    """Plain numbers, their intervals beside them."""
    accuracy, macro_f1 = evaluation.accuracy, evaluation.macro_f1
    return {
        "data": evaluation.data,
        "n": evaluation.faces,
        "accuracy": accuracy.value,
        "accuracy_interval": [accuracy.low, accuracy.high],
        "macro_f1": macro_f1.value,
        "macro_f1_interval": [macro_f1.low, macro_f1.high],
        "ece": evaluation.expected_calibration_error,
        "per_class": evaluation.recall,
        "doubt": doubt.model_dump(exclude={"data"}) if doubt is not None else None,
    }
