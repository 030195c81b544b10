"""OpenCV as wheels and as distributions build it."""

from types import SimpleNamespace

import cv2
import pytest

from fer_gateway.vision.opencv import SILENT, configure_opencv, logging_of


def test_one_thread_and_no_log() -> None:
    configure_opencv()
    assert cv2.getNumThreads() == 1
    assert logging_of(cv2).getLogLevel() == SILENT


@pytest.mark.parametrize(
    "build",
    [SimpleNamespace(name="old"), SimpleNamespace(utils=SimpleNamespace()), SimpleNamespace(utils=None)],
    ids=["without utils", "of Debian 13", "empty utils"],
)
def test_builds_of_distributions_have_it_at_the_top(build: SimpleNamespace) -> None:
    """`make phone` runs on a real one."""
    assert logging_of(build) is build
