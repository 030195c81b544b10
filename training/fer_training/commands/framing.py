"""`framing`: measure where the frame of a training face lies, seen from its Haar box."""

import argparse

from fer_gateway.contract import Framing
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_MODEL
from fer_gateway.vision.cascade import HaarDetector
from fer_training.crops.framing import SMALLEST_BOX_PX, fit_framing
from fer_training.data.datasets import open_data
from fer_training.data.labelled import LabelledFaces
from fer_training.errors import DataError
from fer_training.learning.run_folder import FRAMING


def run(arguments: argparse.Namespace) -> None:
    """Print the fit, and keep it for `export` where a run folder is given."""
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    framing = _framing(data.split("train", "majority", twins=False).some(arguments.faces))
    if arguments.run_folder:
        arguments.run_folder.mkdir(parents=True, exist_ok=True)
        text = framing.model_dump_json(indent=2) + "\n"
        (arguments.run_folder / FRAMING).write_text(text, encoding="utf-8")


def _framing(faces: LabelledFaces) -> Framing:
    """Measured; that of the packaged model where Haar finds too few of a user's own pictures."""
    try:
        fit = fit_framing(faces.images, HaarDetector(min_face_px=SMALLEST_BOX_PX))
    except DataError as error:
        if faces.voted:
            raise
        framing = EmotionModel.open(PACKAGED_MODEL).card.face.framing
        print(f"{error}: the framing of the packaged model is taken instead, scale {framing.scale:.4f}")
        return framing
    framing = fit.framing
    print(f"faces      {framing.faces_measured} of {fit.faces_tried} found by Haar")
    print(f"scale      {framing.scale:.4f} +- {fit.scale_spread:.4f}   frame side / box side")
    print(f"offset_x  {framing.offset_x:+.4f} +- {fit.offset_x_spread:.4f}   box sides, to the right")
    print(f"offset_y  {framing.offset_y:+.4f} +- {fit.offset_y_spread:.4f}   box sides, down")
    return framing
