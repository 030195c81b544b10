"""OpenCV as a whole process uses it."""

from typing import Any

import cv2

SILENT = 0
"""`LOG_LEVEL_SILENT`."""


def configure_opencv() -> None:
    """One thread and no log; to be called once, where a process starts.

    Pictures are analysed in parallel as it is, and what OpenCV logs about a broken one, we raise.
    """
    cv2.setNumThreads(1)
    logging_of(cv2).setLogLevel(SILENT)


def logging_of(opencv: Any) -> Any:
    """Where `setLogLevel` is: wheels have `cv2.utils.logging`, builds of distributions have it in `cv2`."""
    return getattr(getattr(opencv, "utils", None), "logging", opencv)
