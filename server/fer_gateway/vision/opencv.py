"""OpenCV as a whole process uses it."""

import cv2


def configure_opencv() -> None:
    """One thread and no log; to be called once, where a process starts.

    Pictures are analysed in parallel as it is, and what OpenCV logs about a broken one, we raise.
    """
    cv2.setNumThreads(1)
    logging = cv2.utils.logging
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
