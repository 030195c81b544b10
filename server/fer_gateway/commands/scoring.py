"""One picture or video to its lines in the record, wherever that is done: here, in a process, on Ray."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.gateway import open_analyzer
from fer_gateway.commands.annotate import Film, write_copy
from fer_gateway.commands.inputs import Source
from fer_gateway.commands.outputs import Format, Moment, writer_for
from fer_gateway.errors import ImageError
from fer_gateway.footage import analyze_video
from fer_gateway.library import content_of
from fer_gateway.options import Options, StreamOptions
from fer_gateway.settings import Settings
from fer_gateway.vision.opencv import configure_opencv


@dataclass(frozen=True, slots=True)
class Recipe:
    """How sources are analysed and told; all that a scorer on another machine needs to know."""

    settings: Settings
    kind: Format
    options: Options
    fps: float | None
    """Frames of each second of a video; without it, every one."""


@dataclass(frozen=True, slots=True)
class Task:
    """One source, and what belongs to it."""

    source: Source
    copy: Path | None = None
    """Where its copy with the faces drawn in goes, if one is wanted."""
    data: bytes | None = None
    """The picture, where it came from standard input."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one source, or one frame of a video, adds to the record."""

    text: str = ""
    complaint: str = ""
    """A line for people, without its end; not part of the record."""
    failed: bool = False
    last: bool = True
    """Whether it is the last one of its source."""
    time_s: float | None = None
    """Seconds from the start of a video."""


class Scorer:
    """Analyses tasks, one after the other, and words the answers; holds the open models."""

    def __init__(self, recipe: Recipe, analyzer: Analyzer | None = None) -> None:
        """Open the models, unless an open `analyzer` is given; for the errors see `Analyzer.open`."""
        configure_opencv()
        self._recipe = recipe
        self._analyzer = analyzer or open_analyzer(recipe.settings)
        self.writer = writer_for(recipe.kind, self._analyzer.card)

    def score(self, task: Task) -> Piece:
        """All that the task adds to the record, as one piece; for the errors see `pieces`."""
        pieces = list(self.pieces(task))
        return Piece(
            "".join(piece.text for piece in pieces),
            "\n".join(piece.complaint for piece in pieces if piece.complaint),
            any(piece.failed for piece in pieces),
        )

    def pieces(self, task: Task) -> Iterator[Piece]:
        """What the task adds to the record, frame by frame; where it fails, the last piece says why.

        Raises:
            CannotWrite: the copy; the disk is full, for example.
        """
        try:
            if task.source.problem is not None:
                raise task.source.problem
            yield from self._video(task) if task.source.is_video else self._picture(task)
        except ImageError as error:
            yield self.failure(task, error)

    def failure(self, task: Task, error: ImageError) -> Piece:
        """What is told of a task that failed."""
        return Piece(*self.writer.failure(task.source.name, error), failed=True)

    def _picture(self, task: Task) -> Iterator[Piece]:
        max_bytes = self._recipe.settings.max_body_bytes
        data = content_of(Path(task.source.name), max_bytes) if task.data is None else task.data
        analysis = self._analyzer.analyze(data, self._recipe.options)
        if task.copy is not None:  # first: what the record holds, has its copy
            write_copy(task.copy, task.source, data, analysis)
        yield Piece(self.writer.analysis(task.source.name, analysis))

    def _video(self, task: Task) -> Iterator[Piece]:
        path, fps = Path(task.source.name), self._recipe.fps
        options = StreamOptions.model_validate(self._recipe.options.model_dump())
        frames = analyze_video(path, self._analyzer, fps=fps, options=options)
        film = None if task.copy is None else Film(task.copy, task.source, fps)
        try:
            with closing(frames):  # type: ignore[type-var]
                for frame in frames:
                    if film is not None:
                        film.add(frame.pixels, frame.analysis)
                    moment = Moment(frame.index, frame.time_s)
                    text = self.writer.analysis(task.source.name, frame.analysis, moment)
                    yield Piece(text, last=False, time_s=frame.time_s)
            yield Piece()
        finally:
            if film is not None:
                film.close()
