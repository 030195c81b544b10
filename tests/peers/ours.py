"""This library: ours.py single|stream FRAME...; answers one line for each number on stdin.

It gets JPEG files, and decodes them within the time that counts; the others get decoded pixels.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

from fer_gateway import __version__
from fer_gateway.analyzer import Analyzer
from fer_gateway.faces import Analysis
from fer_gateway.live import LiveAnalyzer
from fer_gateway.vision.opencv import configure_opencv

FRAME_MS = 1000 / 30
"""The frames of a stream come as from a camera of 30 frames a second, however fast they are asked for."""


def analysis_in(mode: str) -> Callable[[bytes], Analysis]:
    """How a frame is analysed: as a picture by itself, or as the next one of a stream."""
    configure_opencv()
    analyzer = Analyzer.open()
    if mode == "single":
        return analyzer.analyze
    live, clock = LiveAnalyzer(analyzer), iter(range(10**9))
    return lambda data: live.analyze(data, next(clock) * FRAME_MS)


def main() -> None:
    """Answer until nobody asks."""
    mode, *paths = sys.argv[1:]
    frames = [Path(path).read_bytes() for path in paths]
    analyze = analysis_in(mode)
    print(json.dumps({"version": __version__}), flush=True)
    for line in sys.stdin:
        data = frames[int(line)]
        started_s = process_time()
        analysis = analyze(data)
        ms = (process_time() - started_s) * 1e3
        faces = [
            {
                "box": [
                    face.box.x * analysis.width,
                    face.box.y * analysis.height,
                    face.box.width * analysis.width,
                    face.box.height * analysis.height,
                ],
                "label": face.label,
            }
            for face in analysis.faces
        ]
        print(json.dumps({"ms": ms, "faces": faces}), flush=True)


if __name__ == "__main__":
    main()
