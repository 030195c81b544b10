"""What `analyze` was pointed at: files, folders, patterns and standard input, to pictures and videos."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_gateway.errors import UnreadableFile

STDIN = "-"
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"})
VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm"}
)
PATTERN_CHARACTERS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Source:
    """One picture or video."""

    name: str
    """How answers call it: its path as given or found, `-` for standard input."""
    place: Path
    """Where it lies below the folder that was named; for a single file, its name."""
    problem: UnreadableFile | None = None
    """Why there is nothing to read, where that is known at once."""

    @property
    def is_stdin(self) -> bool:
        """Whether it is a picture from standard input."""
        return self.name == STDIN

    @property
    def is_video(self) -> bool:
        """Whether its name says that it is a video."""
        return Path(self.name).suffix.lower() in VIDEO_SUFFIXES


def find_sources(arguments: Sequence[str]) -> list[Source]:
    """The sources of all arguments, in their order; folders are searched to the bottom, sorted by name.

    In folders and patterns, only what has the suffix of a picture or video counts; a file that is named may
    have any. What is not there stays in the list, for an answer of its own.
    """
    return [source for argument in arguments for source in _sources_of(argument)]


def _sources_of(argument: str) -> Iterator[Source]:
    path = Path(argument)
    if argument != STDIN and path.is_dir():
        yield from _in_folder(path)
    elif argument == STDIN or path.exists() or not PATTERN_CHARACTERS & set(argument):
        yield Source(argument, Path("stdin" if argument == STDIN else path.name))
    else:
        matches = sorted(Path(match) for match in glob.glob(argument, recursive=True))  # noqa: PTH207 - `**`, absolute
        found = [match for match in matches if _is_readable(match)]
        yield from (Source(str(match), Path(match.name)) for match in found)
        if not found:
            detail = "No picture or video matches this pattern; check it, and quote it from the shell."
            yield Source(argument, Path(path.name), UnreadableFile(detail))


def _in_folder(folder: Path) -> Iterator[Source]:
    found = [file for file in sorted(folder.rglob("*")) if _is_readable(file)]
    yield from (Source(str(file), file.relative_to(folder)) for file in found)
    if not found:
        detail = "The folder has no JPEG, PNG, WebP or video file in it; check the path."
        yield Source(str(folder), Path(folder.name), UnreadableFile(detail))


def _is_readable(file: Path) -> bool:
    return file.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES and file.is_file()
