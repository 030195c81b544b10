"""What tests of streams share: two real faces to make clips of, and an analyzer that counts its scans."""

from pathlib import Path

import pytest

from fer_gateway.analyzer import Analyzer
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_LANDMARKS
from fer_gateway.vision.decode import decode_grey

from .clip_report import CountingDetector
from .clips import Sprite, cut_out


@pytest.fixture
def counting_analyzer(tiny_model: Path) -> Analyzer:
    """Finds faces as always, and knows nothing about emotions."""
    return Analyzer(EmotionModel.open(tiny_model), CountingDetector(), LandmarkModel.open(PACKAGED_LANDMARKS))


@pytest.fixture(scope="session")
def hopper(grace_hopper: Path) -> Sprite:
    return cut_out(decode_grey(grace_hopper.read_bytes()))


@pytest.fixture(scope="session")
def collins(astronaut: Path) -> Sprite:
    return cut_out(decode_grey(astronaut.read_bytes()))
