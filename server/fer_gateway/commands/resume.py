"""A file that `analyze` wrote, read again, to go on where it stopped."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_gateway.commands.outputs import printable
from fer_gateway.errors import CannotWrite, InvalidSettings


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an output file."""

    name: str
    start: int
    """Where it begins, in bytes."""
    may_go_on: bool
    """Whether more lines may have been to follow for the same source: a video, or further faces."""


def resume(path: Path, columns: Sequence[str] | None) -> frozenset[str] | None:
    """The names of what an output file holds; what its end may lack is cut off, to be done again.

    Args:
        path: the file.
        columns: of CSV; without them, the file is JSON Lines.

    Returns:
        None where there is no such file, or nothing in it. Names are those of `printable`.

    Raises:
        InvalidSettings: the file was not written by `analyze` in this format and with the same classes.
        CannotWrite: it cannot be read or changed.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise CannotWrite(f"`{path}` cannot be read: {exc.strerror}. Name another file.") from exc
    whole = data[: data.rfind(b"\n") + 1]  # a line without its end was cut off
    if not whole:
        return None
    entries = list(_json_entries(path, whole) if columns is None else _csv_entries(path, whole, columns))
    keep = len(whole)
    if entries and entries[-1].may_go_on:
        last = entries[-1].name
        while entries and entries[-1].name == last:
            keep = entries.pop().start
    if keep < len(data):
        _cut(path, keep)
    return frozenset(printable(entry.name) for entry in entries)


def _cut(path: Path, size: int) -> None:
    try:
        with path.open("r+b") as file:
            file.truncate(size)
    except OSError as exc:
        raise CannotWrite(f"`{path}` cannot be changed: {exc.strerror}. Name another file.") from exc


def _json_entries(path: Path, data: bytes) -> Iterator[Entry]:
    start = 0
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        try:
            answer = json.loads(line)
            yield Entry(str(answer["path"]), start, may_go_on="frame" in answer)
        except (ValueError, KeyError, TypeError) as exc:
            raise _foreign(path, number) from exc
        start += len(line)


def _csv_entries(path: Path, data: bytes, columns: Sequence[str]) -> Iterator[Entry]:
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in data.splitlines(keepends=True):
            read += len(line)
            yield line.decode("utf-8")

    start, number = 0, 0
    try:
        for number, row in enumerate(csv.reader(lines(), strict=True), 1):
            if number == 1 and row != list(columns):
                raise _foreign(path, number)
            if number > 1:
                yield Entry(row[0], start, may_go_on=True)
            start = read
    except (csv.Error, UnicodeDecodeError, IndexError) as exc:
        raise _foreign(path, number + 1) from exc


def _foreign(path: Path, number: int) -> InvalidSettings:
    return InvalidSettings(
        f"Line `{number}` of `{path}` was not written by this command in this format and with this model; "
        "name another file with `--out`."
    )
