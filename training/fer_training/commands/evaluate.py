"""`evaluate`: score an ONNX model on a part of FER+."""

import argparse

from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.splits import load_split
from fer_training.measure.metrics import evaluate_probabilities
from fer_training.measure.predictions import predict_faces
from fer_training.measure.report import print_table, to_dict, write_json
from fer_training.release.doubt import doubt_line, measure_doubt
from fer_training.release.export import set_name


def run(arguments: argparse.Namespace) -> None:
    """Print a table, or with `--json PATH` (`-` is standard output) one JSON object."""
    model = EmotionModel.open(arguments.model, threads=arguments.threads)
    faces = load_split(arguments.data, arguments.split, arguments.rule, twins=not arguments.drop_twins)
    name = set_name(arguments.split, arguments.rule) + (", twins dropped" if arguments.drop_twins else "")
    probabilities = predict_faces(model, LandmarkModel.open(arguments.landmarks), faces.images)
    evaluation = evaluate_probabilities(name, model.card.labels, probabilities, faces.labels, faces.targets)
    chosen = model.card.doubt
    doubt = chosen and measure_doubt(probabilities, faces.labels, chosen.uncertain_below, name)
    if arguments.json is None:
        print_table(evaluation)
        if doubt is not None:
            print(f"  {doubt_line(doubt)}")
        return
    write_json(to_dict(evaluation, doubt), arguments.json)
