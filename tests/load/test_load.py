"""A crowd of cameras at one worker: each gets its turn, and nobody's frames grow old."""

import asyncio
from pathlib import Path
from statistics import mean, median

from tests.api.harness import serve
from tests.api.test_stream import SlowAnalyzer
from tests.load.clients import load

from fer_gateway.commands.drawn import draw_frames
from fer_gateway.settings import Settings

CLIENTS = 12
SECONDS = 6.0


def test_many_cameras_get_fewer_frames_not_older_ones(tiny_model: Path) -> None:
    """One frame of each would be a queue of 12 x 50 ms; half of that leaves room for a slow machine."""
    analyzer = SlowAnalyzer.open(tiny_model)
    settings = Settings(model=tiny_model, workers=1, max_streams=CLIENTS)
    with serve(settings, lambda _: analyzer) as gateway:
        clip = draw_frames(8)
        seen = asyncio.run(load(gateway.stream_url, [clip] * CLIENTS, SECONDS))
    counts = [len(one.ages_s) for one in seen]
    last_ages_s = [age_s for one in seen for age_s in one.ages_s[len(one.ages_s) // 2 :]]
    assert min(counts) >= 0.5 * mean(counts) > 0, counts
    assert median(last_ages_s) < CLIENTS * analyzer.pause_s / 2
