"""The pipeline of one stream: follow its faces, read each, and hold steady what it shows."""

from collections.abc import Mapping
from dataclasses import replace

from fer_gateway.analyzer import Analyzer, Place, Stopwatch
from fer_gateway.faces import Analysis, Face
from fer_gateway.follower import Follower
from fer_gateway.options import DEFAULT_STREAM_OPTIONS, StreamOptions
from fer_gateway.tracking.clock import StreamClock
from fer_gateway.tracking.smoother import Smoother
from fer_gateway.vision.align import Grey

PAUSE_MS = 2000.0
"""After a longer pause between two frames the stream starts anew."""


class LiveAnalyzer:
    """Analyses the frames of one stream in their order; not to be shared between threads.

    Each face keeps its `id`, its probabilities are smoothed and its label is held steady: `confidence` is
    the smoothed probability of the shown label, which for a moment need not be the largest one.
    """

    def __init__(self, analyzer: Analyzer, options: StreamOptions = DEFAULT_STREAM_OPTIONS) -> None:
        self._analyzer = analyzer
        self._options = options
        self._clock = StreamClock()
        self._follower = Follower(analyzer, options)
        self._smoother = Smoother()
        self._shape = (0, 0)

    @property
    def analyzer(self) -> Analyzer:
        """What reads the faces."""
        return self._analyzer

    def use(self, analyzer: Analyzer) -> None:
        """Read faces with another analyzer from now on; they keep their ids, not what they showed."""
        self._analyzer = analyzer
        self._follower.use(analyzer)
        self._smoother.keep(())

    def reset(self) -> None:
        """Forget every face: what comes now has nothing to do with what came. Ids are not given again."""
        self._follower.forget()
        self._smoother.keep(())

    def analyze(self, data: bytes, captured_ms: float) -> Analysis:
        """Follow and read the faces of the next frame: a JPEG, PNG or WebP file.

        `captured_ms` is the client's clock; for timestamps that do not grow see `StreamClock`. A frame of
        another size than the last one, or after a pause of `PAUSE_MS`, is a `reset`.

        Raises:
            EmptyImage, BodyTooLarge, UnsupportedImage, TooManyPixels, DamagedImage: see `decode_grey`; such a
                frame changes nothing.
        """
        watch = Stopwatch()
        grey = self._analyzer.decode(data)
        watch.lap("decode_ms")
        return self.analyze_grey(grey, captured_ms, watch)

    def analyze_grey(self, grey: Grey, captured_ms: float, watch: Stopwatch | None = None) -> Analysis:
        """The same for grey pixels (H x W, uint8, upright); `watch` has run since the start."""
        watch = watch or Stopwatch()
        now_ms = self._clock.advance(captured_ms)
        if grey.shape != self._shape or self._clock.step_ms > PAUSE_MS:
            self.reset()
            self._shape = grey.shape
        places = self._follower.find(grey, now_ms, watch)
        faces = self._read(grey, places, now_ms, watch)
        watch.lap("judge_ms")
        height, width = grey.shape
        return Analysis(faces=tuple(faces), timing=watch.total(), width=width, height=height)

    def _read(self, grey: Grey, places: Mapping[int, Place], now_ms: float, watch: Stopwatch) -> list[Face]:
        rows = self._analyzer.classify(grey, list(places.values()), watch)
        self._smoother.keep(self._follower.ids)
        faces = []
        for (id_, place), row in zip(places.items(), rows, strict=True):
            probabilities, label = row, None
            if self._options.smooth:
                smoothed = self._smoother.smooth(id_, row, now_ms)
                probabilities, label = smoothed.probabilities, smoothed.label
            face = self._analyzer.judge(grey, place, probabilities, self._options, label=label)
            faces.append(replace(face, id=id_))
        return faces
