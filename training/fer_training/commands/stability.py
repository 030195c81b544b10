"""`stability`: what alignment brings, on faces pasted into larger pictures."""

import argparse

from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.datasets import open_data
from fer_training.data.emotion_names import shared_classes
from fer_training.landmarks.measure import TEST_JITTER
from fer_training.measure.stability import Stability, measure_stability


def run(arguments: argparse.Namespace) -> None:
    """Print both tables: cut by landmarks, and by box with the same graph."""
    model = EmotionModel.open(arguments.model)
    landmarks = LandmarkModel.open(arguments.landmarks)
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    faces = data.split(arguments.split, "majority", twins=True)
    faces = shared_classes(data.classes, model.card.labels).in_model(faces)
    if arguments.faces:
        faces = faces.some(arguments.faces)
    print_tables(measure_stability(model, landmarks, faces, TEST_JITTER))


def print_tables(stability: Stability) -> None:
    """Total-variation distances and accuracies."""
    print(f"{stability.faces} faces, boxes off by +-10 % shift, +-20 % scale, faces turned by +-15 degrees")
    print(f"  distance of answers, landmarks   {stability.distance_aligned:.4f}")
    print(f"  distance of answers, box         {stability.distance_boxed:.4f}")
    print(f"  ratio                            {stability.ratio:.3f}")
    print(f"  cut by landmarks                 {stability.share_aligned:.1%}")
    print(
        "accuracy of faces turned by      " + "".join(f"{angle:>+8}" for angle in stability.accuracy_aligned)
    )
    for name, row in (("landmarks", stability.accuracy_aligned), ("box", stability.accuracy_boxed)):
        print(f"  {name:<31}" + "".join(f"{accuracy:8.1%}" for accuracy in row.values()))
