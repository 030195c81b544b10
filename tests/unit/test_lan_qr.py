"""QR codes in a terminal, as a camera reads them."""

import re

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_gateway.lan.qr import qr_text

ADDRESSES = (
    "http://192.168.1.20:8001",
    "https://192.168.1.20:8000/pair#7KQF-M2XD-90RT",
    "https://[fd00::20]:8000",
)
MODULE_PX = 8


def read(modules: NDArray[np.bool_]) -> str:
    """What is in a code; true is light."""
    picture = np.kron(modules, np.full((MODULE_PX, MODULE_PX), 255)).astype(np.uint8)
    return str(cv2.QRCodeDetector().detectAndDecode(picture)[0])


@pytest.mark.parametrize("address", ADDRESSES)
def test_in_a_terminal(address: str) -> None:
    """A character is two modules, one above the other; every line states its colours."""
    lines = qr_text(address).split("\n")
    shown = [re.fullmatch(r"\x1b\[97;40m([ █▀▄]+)\x1b\[0m", line) for line in lines]
    modules = [[mark in "█" + half for mark in line[1]] for line in shown if line for half in "▀▄"]
    assert all(shown)
    assert read(np.array(modules)) == address
