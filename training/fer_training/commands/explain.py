"""`explain`: check on faces of FER+ that explanations mark what the answer rests on."""

import argparse

from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.splits import load_split
from fer_training.measure.explanation import STRONGEST_SHARE, measure_faithfulness
from fer_training.measure.predictions import serving_crops
from fer_training.measure.report import write_json
from fer_training.release.export import set_name


def run(arguments: argparse.Namespace) -> None:
    """Print a table, or with `--json PATH` (`-`, or nothing, is standard output) one JSON object."""
    model = EmotionModel.open(arguments.model)
    faces = load_split(arguments.data, arguments.split, "majority", twins=True)
    images = faces.some(arguments.faces).images
    landmarks = LandmarkModel.open(arguments.landmarks)
    found = measure_faithfulness(model, serving_crops(model, landmarks, images))
    intervals = {"strongest": found.strongest, "random": found.random, "ratio": found.ratio}
    data = set_name(arguments.split, "majority")
    if arguments.json is None:
        print(f"{data}: {found.faces} faces")
        for name, interval in intervals.items():
            words = "ratio" if name == "ratio" else f"fall, {name} {STRONGEST_SHARE:.0%} hidden"
            print(f"  {words:<28}{interval.value:.4f}   95 % {interval.low:.4f} .. {interval.high:.4f}")
        return
    values: dict[str, object] = {"data": data, "n": found.faces, "share": STRONGEST_SHARE}
    values |= {name: interval.model_dump() for name, interval in intervals.items()}
    write_json(values, arguments.json)
