"""`calibrate`: fit the temperature of a run, and when to doubt its answers, on the validation part."""

import argparse

import torch

from fer_gateway.inference.landmarks import LandmarkModel
from fer_training.crops.alignment import serving_frames
from fer_training.crops.batches import plain_crops
from fer_training.data.datasets import open_data
from fer_training.learning.origin import require_labels
from fer_training.learning.run_folder import CALIBRATION, WEIGHTS, read_experiment
from fer_training.learning.train import predict_logits
from fer_training.network.checkpoint import load_model
from fer_training.release.calibrate import fit_temperature, softmax
from fer_training.release.doubt import choose_doubt, doubt_line


def run(arguments: argparse.Namespace) -> None:
    """Print the fit and keep it for `export`."""
    weights = WEIGHTS[arguments.weights]
    crop = read_experiment(arguments.run_folder).crop
    model = load_model(arguments.run_folder / weights)
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    require_labels(arguments.run_folder, data.classes, arguments.data)
    faces = data.split("validation", arguments.rule, twins=False)
    frames = serving_frames(faces.images, crop, LandmarkModel.open(arguments.landmarks))
    crops = plain_crops(faces.images, frames, model.config.image_size)
    logits = predict_logits(model, crops, torch.device("cpu"))
    fit = fit_temperature(logits, faces.labels)
    probabilities = softmax(logits, fit.temperature)
    name = data.title("validation", arguments.rule)
    doubt = choose_doubt(probabilities, faces.labels, name, arguments.error)
    fit.model_copy(update={"weights": weights, "doubt": doubt}).save(arguments.run_folder / CALIBRATION)
    print(f"temperature {fit.temperature:.4f} from {fit.faces} validation faces")
    print(f"cross-entropy {fit.loss_before:.4f} -> {fit.loss_after:.4f}")
    before, after = fit.expected_calibration_error_before, fit.expected_calibration_error_after
    print(f"expected calibration error {before:.4f} -> {after:.4f}")
    print(doubt_line(doubt))
