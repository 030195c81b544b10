"""A progress bar on stderr, where that is a terminal."""

import sys
import time
from typing import TextIO

WIDTH = 24
EVERY_S = 0.1
CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Shows how many of a known number of things are done."""

    def __init__(self, total: int, *, stream: TextIO | None = None, wanted: bool = True) -> None:
        """Prepare; nothing is shown where the stream is no terminal, or the bar is not `wanted`."""
        self._stream = stream or sys.stderr
        self._total = total
        self._done = 0
        self._shown = wanted and self._stream.isatty()
        self._started_s = time.monotonic()
        self._drawn_s = 0.0

    def show(self, doing: str) -> None:
        """Draw the bar with what is done now; not more often than eyes can see."""
        now_s = time.monotonic()
        if not self._shown or now_s - self._drawn_s < EVERY_S:
            return
        self._drawn_s = now_s
        filled = WIDTH * self._done // max(self._total, 1)
        bar = "=" * filled + " " * (WIDTH - filled)
        text = f"[{bar}] {self._done}/{self._total} {self._rest(now_s)} {doing}"
        self._stream.write(f"{CLEAR_LINE}{text[:100]}")
        self._stream.flush()

    def step(self) -> None:
        """One more is done."""
        self._done += 1

    def clear(self) -> None:
        """Take the bar away."""
        if self._shown and self._drawn_s:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()

    def _rest(self, now_s: float) -> str:
        if not self._done:
            return "--:--"
        rest_s = (now_s - self._started_s) / self._done * (self._total - self._done)
        return f"{int(rest_s) // 60:02}:{int(rest_s) % 60:02}"
