"""`fer-gateway analyze`: the emotions in pictures and videos, on a disk or from standard input."""

import argparse
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from fer_gateway.commands.annotate import Copies
from fer_gateway.commands.cluster import score_on_ray
from fer_gateway.commands.inputs import find_sources
from fer_gateway.commands.options import analysis_options_from, settings_from
from fer_gateway.commands.outputs import Csv, Format, Sink, printable
from fer_gateway.commands.pool import ScorerPool
from fer_gateway.commands.progress import Progress
from fer_gateway.commands.resume import resume
from fer_gateway.commands.scoring import Piece, Recipe, Scorer, Task
from fer_gateway.errors import InvalidSettings, UnreadableFile
from fer_gateway.settings import usable_cores

VIDEO_FPS = 5.0
"""Frames of each second of a video that are looked at, where nothing else is asked for."""

MAX_JOBS = 1024


def run(arguments: argparse.Namespace) -> int:
    """Analyse each source; one that fails is reported and the rest goes on, the exit status is 1 then."""
    settings = settings_from(arguments)
    options = analysis_options_from(arguments)
    kind: Format = "jsonl" if arguments.json else arguments.format
    if arguments.resume and (arguments.out is None or kind == "table"):
        raise InvalidSettings("`--resume` needs `--out FILE` and `--format jsonl` or `csv`, its record.")
    recipe = Recipe(settings, kind, options, frames_a_second(arguments.fps))
    jobs = processes(arguments.jobs)
    scorer = Scorer(recipe)
    sources = find_sources(arguments.paths)
    copies = Copies(arguments.annotate) if arguments.annotate else None
    tasks = [Task(source, copies.place_for(source) if copies else None) for source in sources]
    done = None
    if arguments.resume:
        done = resume(arguments.out, scorer.writer.columns if isinstance(scorer.writer, Csv) else None)
        tasks = [task for task in tasks if printable(task.source.name) not in (done or ())]
    with Sink(arguments.out, append=done is not None) as sink:
        if done is None:
            sink.write(scorer.writer.heading())
        progress = Progress(len(tasks), wanted=arguments.out is not None or not sys.stdout.isatty())
        names = [task.source.name for task in tasks]
        with_data = (filled(task, settings.max_body_bytes) for task in tasks)
        with closing(pieces_of(with_data, scorer, recipe, jobs, arguments.engine)) as pieces:
            failed = record(pieces, names, sink, progress)
    return int(failed)


def pieces_of(
    tasks: Iterator[Task], scorer: Scorer, recipe: Recipe, jobs: int, engine: str
) -> Generator[Piece]:
    """The pieces of all tasks, in their order, worked out where it was asked for."""
    if engine == "ray":
        if listed := list(tasks):
            yield from score_on_ray(recipe, listed, jobs)
    elif jobs > 1:
        yield from ScorerPool(recipe, jobs).score(tasks, scorer)
    else:
        yield from (piece for task in tasks for piece in scorer.pieces(task))


def record(pieces: Iterable[Piece], names: Sequence[str], sink: Sink, progress: Progress) -> bool:
    """Write the pieces of the sources of these names as they come; whether one of them failed."""
    any_failed, ended = False, 0
    progress.show(names[0] if names else "")
    for piece in pieces:
        if piece.failed:
            progress.clear()
        if piece.complaint:
            print(piece.complaint, file=sys.stderr)
        sink.write(piece.text)
        any_failed |= piece.failed
        if piece.last:
            ended += 1
            progress.step()
        if ended < len(names):
            when = "" if piece.time_s is None else f" at {piece.time_s:.1f} s"
            progress.show(f"{names[ended]}{when}")
    progress.clear()
    return any_failed


def frames_a_second(text: str | None) -> float | None:
    """What `--fps` means: none for 0, which is every frame.

    Raises:
        InvalidSettings: it is no number from 0 to 1000.
    """
    try:
        fps = VIDEO_FPS if text is None else float(text)
    except ValueError:
        fps = -1.0
    if not 0 <= fps <= 1000:
        raise InvalidSettings(f"`{text}` for `--fps`: a number of frames a second, 0 for every frame.")
    return fps or None


def processes(text: str | None) -> int:
    """What `--jobs` means: one for each usable core for 0.

    Raises:
        InvalidSettings: it is no whole number from 0 to 1024.
    """
    if text is None:
        return 1
    if not text.isdecimal() or int(text) > MAX_JOBS:
        raise InvalidSettings(f"`{text}` for `--jobs`: processes, a whole number; 0 is one for each core.")
    return int(text) or usable_cores()


def filled(task: Task, max_bytes: int) -> Task:
    """The task, with the picture from standard input where it is one; other processes cannot read it."""
    if not task.source.is_stdin:
        return task
    try:
        return replace(task, data=sys.stdin.buffer.read(max_bytes + 1))
    except OSError as exc:
        problem = UnreadableFile(f"Standard input cannot be read ({exc.strerror}).")
        return replace(task, source=replace(task.source, problem=problem))
