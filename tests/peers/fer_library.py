"""`fer`, in its own environment: fer_library.py FRAME...; answers a line for each number on stdin."""

import json
import sys
from importlib.metadata import version
from time import process_time

import cv2
from fer.fer import FER  # type: ignore[import-not-found]


def main() -> None:
    """Answer until nobody asks."""
    cv2.setNumThreads(1)
    frames = [cv2.imread(path) for path in sys.argv[1:]]
    detector = FER()
    detector.detect_emotions(frames[0])  # the first call builds the graph
    print(json.dumps({"version": version("fer")}), flush=True)
    for line in sys.stdin:
        frame = frames[int(line)]
        started_s = process_time()
        found = detector.detect_emotions(frame)
        ms = (process_time() - started_s) * 1e3
        faces = []
        for face in found:
            box, emotions = [float(value) for value in face["box"]], face["emotions"]
            faces.append({"box": box, "label": max(emotions, key=emotions.get)})
        print(json.dumps({"ms": ms, "faces": faces}), flush=True)


if __name__ == "__main__":
    main()
