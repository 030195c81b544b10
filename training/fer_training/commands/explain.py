"""`explain`: check on faces of a data set that explanations mark what the answer rests on."""

import argparse

from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.datasets import open_data
from fer_training.measure.explanation import STRONGEST_SHARE, measure_faithfulness
from fer_training.measure.predictions import serving_crops
from fer_training.measure.report import write_json


def run(arguments: argparse.Namespace) -> None:
    """Print a table, or with `--json PATH` (`-`, or nothing, is standard output) one JSON object."""
    model = EmotionModel.open(arguments.model)
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    faces = data.split(arguments.split, "majority", twins=True)
    images = faces.some(arguments.faces).images
    landmarks = LandmarkModel.open(arguments.landmarks)
    found = measure_faithfulness(model, serving_crops(model, landmarks, images))
    intervals = {"strongest": found.strongest, "random": found.random, "ratio": found.ratio}
    name = data.title(arguments.split, "majority")
    if arguments.json is None:
        print(f"{name}: {found.faces} faces")
        for key, interval in intervals.items():
            words = "ratio" if key == "ratio" else f"fall, {key} {STRONGEST_SHARE:.0%} hidden"
            print(f"  {words:<28}{interval.value:.4f}   95 % {interval.low:.4f} .. {interval.high:.4f}")
        return
    values: dict[str, object] = {"data": name, "n": found.faces, "share": STRONGEST_SHARE}
    values |= {key: interval.model_dump() for key, interval in intervals.items()}
    write_json(values, arguments.json)
