"""The framing fit on faces whose framing is known."""

from pathlib import Path

import numpy as np
import pytest

from fer_gateway.vision.cascade import HaarDetector
from fer_training.crops.framing import fit_framing
from fer_training.data.ferplus import load_ferplus
from fer_training.errors import DataError

from .conftest import FRAME_SCALE


def test_framing_of_faces_cut_about_their_box_is_found(ferplus_folder: Path) -> None:
    images = load_ferplus(ferplus_folder)["train"].images[:60]
    fit = fit_framing(images, HaarDetector(min_face_px=80))
    assert fit.faces_tried == 60
    assert fit.framing.faces_measured >= 40
    assert fit.framing.scale == pytest.approx(FRAME_SCALE, abs=0.06)
    assert fit.framing.offset_x == pytest.approx(0, abs=0.03)
    assert fit.framing.offset_y == pytest.approx(0, abs=0.03)
    assert 0.005 < fit.scale_spread < 0.15  # the faces were cut with a spread of 3 %


def test_pictures_without_faces_are_refused() -> None:
    with pytest.raises(DataError, match="Haar found 0 of 3 faces; at least 20 are needed"):
        fit_framing(np.zeros((3, 48, 48), np.uint8), HaarDetector(min_face_px=80))
