"""`calibrate`: fit the temperature of a run, and when to doubt its answers, on the validation part."""

import argparse

import torch

from fer_gateway.inference.landmarks import LandmarkModel
from fer_training.crops.alignment import serving_frames
from fer_training.crops.batches import plain_crops
from fer_training.data.splits import load_split
from fer_training.learning.run_folder import BEST_WEIGHTS, CALIBRATION, read_experiment
from fer_training.learning.train import predict_logits
from fer_training.network.checkpoint import load_model
from fer_training.release.calibrate import fit_temperature, softmax
from fer_training.release.doubt import choose_doubt, doubt_line
from fer_training.release.export import set_name


def run(arguments: argparse.Namespace) -> None:
    """Print the fit and keep it for `export`."""
    model = load_model(arguments.run_folder / BEST_WEIGHTS)
    faces = load_split(arguments.data, "validation", arguments.rule)
    crop = read_experiment(arguments.run_folder).crop
    frames = serving_frames(faces.images, crop, LandmarkModel.open(arguments.landmarks))
    crops = plain_crops(faces.images, frames, model.config.image_size)
    logits = predict_logits(model, crops, torch.device("cpu"))
    fit = fit_temperature(logits, faces.labels)
    probabilities = softmax(logits, fit.temperature)
    data = set_name("validation", arguments.rule)
    doubt = choose_doubt(probabilities, faces.labels, data, arguments.error)
    fit.model_copy(update={"doubt": doubt}).save(arguments.run_folder / CALIBRATION)
    print(f"temperature {fit.temperature:.4f} from {fit.faces} validation faces")
    print(f"cross-entropy {fit.loss_before:.4f} -> {fit.loss_after:.4f}")
    before, after = fit.expected_calibration_error_before, fit.expected_calibration_error_after
    print(f"expected calibration error {before:.4f} -> {after:.4f}")
    print(doubt_line(doubt))
