"""The time of a stream, from the timestamps that its client claims."""

import math

FRAME_MS = 1000 / 30
"""What a step counts as where the timestamps do not tell: a frame at 30 per second."""

LONGEST_STEP_MS = 60_000.0
"""No step counts for more."""


class StreamClock:
    """Milliseconds that only grow, whatever the timestamps do."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self.step_ms = 0.0
        """How far the last `advance` went."""
        self._captured_ms = 0.0
        self._started = False

    def advance(self, captured_ms: float) -> float:
        """The time of a frame, milliseconds since the first one.

        A timestamp that repeats, goes backwards or is no finite number counts as one frame of `FRAME_MS`
        after the last: the frames came in order, so it is the client's clock that was set. A step of more
        than `LONGEST_STEP_MS` counts as that.
        """
        step_ms = captured_ms - self._captured_ms
        if not self._started:
            self.step_ms = 0.0
        elif math.isfinite(captured_ms) and step_ms > 0:
            self.step_ms = min(step_ms, LONGEST_STEP_MS)
        else:
            self.step_ms = FRAME_MS
        self._started = True
        self._captured_ms = captured_ms
        self.now_ms += self.step_ms
        return self.now_ms
