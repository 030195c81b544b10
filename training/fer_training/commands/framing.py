"""`framing`: measure where the frame of a training face lies, seen from its Haar box."""

import argparse

from fer_gateway.vision.cascade import HaarDetector
from fer_training.crops.framing import SMALLEST_BOX_PX, fit_framing
from fer_training.data.splits import load_split
from fer_training.learning.run_folder import FRAMING


def run(arguments: argparse.Namespace) -> None:
    """Print the fit, and keep it for `export` where a run folder is given."""
    faces = load_split(arguments.data, "train", "majority")
    step = max(1, len(faces) // arguments.faces)
    fit = fit_framing(faces.images[::step][: arguments.faces], HaarDetector(min_face_px=SMALLEST_BOX_PX))
    framing = fit.framing
    print(f"faces      {framing.faces_measured} of {fit.faces_tried} found by Haar")
    print(f"scale      {framing.scale:.4f} +- {fit.scale_spread:.4f}   frame side / box side")
    print(f"offset_x  {framing.offset_x:+.4f} +- {fit.offset_x_spread:.4f}   box sides, to the right")
    print(f"offset_y  {framing.offset_y:+.4f} +- {fit.offset_y_spread:.4f}   box sides, down")
    if arguments.run_folder:
        arguments.run_folder.mkdir(parents=True, exist_ok=True)
        text = framing.model_dump_json(indent=2) + "\n"
        (arguments.run_folder / FRAMING).write_text(text, encoding="utf-8")
