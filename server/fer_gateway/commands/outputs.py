"""How `analyze` writes what it found: a table for people, JSON Lines or CSV for programs."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from fer_gateway.contract import ModelCard
from fer_gateway.errors import CannotWrite, ImageError
from fer_gateway.faces import Analysis, Face, analysis_to_dict

Format = Literal["table", "jsonl", "csv"]
FORMATS: Sequence[Format] = ("table", "jsonl", "csv")


def printable(name: str) -> str:
    """A file name as text that can be written: what is no UTF-8 in it becomes escapes."""
    return name.encode(errors="backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Moment:
    """Which frame of a video."""

    frame: int
    time_s: float


class Sink:
    """A text file, or standard output; every write reaches it at once, so that a crash costs one at most."""

    def __init__(self, path: Path | None, *, append: bool = False) -> None:
        """Open the file.

        Raises:
            CannotWrite: it cannot be opened for writing.
        """
        self._name = "Standard output" if path is None else f"`{path}`"
        self._own: IO[str] | None = None
        if path is not None:
            self._own = self._guarded(lambda: path.open("a" if append else "w", encoding="utf-8", newline=""))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own is not None:
            self._own.close()

    def write(self, text: str) -> None:
        """Write and flush.

        Raises:
            CannotWrite: the disk is full, for example.
        """
        if text:
            self._guarded(lambda: self._write(text))

    def _write(self, text: str) -> None:
        file = self._own or sys.stdout
        file.write(text)
        file.flush()

    def _abandon(self) -> None:
        """Forget the text that has no room; Python would complain once more when it exits."""
        with suppress(OSError):
            if self._own is None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            else:
                self._own.close()

    def _guarded(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except BrokenPipeError:
            raise  # nobody reads any more, which is no fault
        except OSError as exc:
            self._abandon()
            raise CannotWrite(
                f"{self._name} cannot be written: {exc.strerror}. Make room or name another file; "
                "`--resume` then goes on where this stopped."
            ) from exc


class Table:
    """A heading for each picture, a line for each face; failures are for stderr."""

    def __init__(self, card: ModelCard) -> None:
        self._card = card

    def heading(self) -> str:
        """What stands above all."""
        return ""

    def analysis(self, name: str, analysis: Analysis, moment: Moment | None = None) -> str:
        """One picture or frame."""
        count = len(analysis.faces)
        faces = {0: "no face", 1: "1 face"}.get(count, f"{count} faces")
        size = f"{analysis.width} x {analysis.height} px"
        when = "" if moment is None else f" at {moment.time_s:.2f} s"
        heading = f"{printable(name)}{when}: {faces}, {size}, {analysis.timing['total_ms']:.0f} ms"
        rows = [self._row(face, analysis) for face in analysis.faces]
        return "".join(f"{line}\n" for line in [heading, *rows])

    def failure(self, name: str, error: ImageError) -> tuple[str, str]:
        """One that could not be analysed: nothing for the table, and a line for people."""
        return "", f"{name}: {error}"

    def _row(self, face: Face, analysis: Analysis) -> str:
        x, width = face.box.x * analysis.width, face.box.width * analysis.width
        y, height = face.box.y * analysis.height, face.box.height * analysis.height
        place = f"{width:.0f} x {height:.0f} px at {x:.0f}, {y:.0f}"
        ranked = sorted(zip(face.probabilities, self._card.labels, strict=True), reverse=True)
        others = ", ".join(f"{label} {probability:.1%}" for probability, label in ranked[1:3])
        label = f"{face.label}?" if face.uncertain else face.label
        doubt = f"; not sure: {in_words(face.reasons)}" if face.uncertain else ""
        return f"  {label:<11} {face.confidence:>6.1%}   {place:<28} then {others}{doubt}"


class JsonLines:
    """One JSON object a line: for a picture, a frame of a video, or a failure."""

    def __init__(self, card: ModelCard) -> None:
        self._card = card

    def heading(self) -> str:
        """What stands above all."""
        return ""

    def analysis(self, name: str, analysis: Analysis, moment: Moment | None = None) -> str:
        """One picture or frame."""
        answer = analysis_to_dict(analysis, self._card)
        when: dict[str, Any] = {}
        if moment is not None:
            when = {"frame": moment.frame, "time_s": round(moment.time_s, 3)}
            for face, members in zip(analysis.faces, answer["faces"], strict=True):
                members["id"] = face.id
        return json.dumps({"path": name, **when, **answer}) + "\n"

    def failure(self, name: str, error: ImageError) -> tuple[str, str]:
        """One that could not be analysed: the members of a problem that make sense without HTTP."""
        problem = {"code": error.code, "title": error.title, "detail": str(error)}
        return json.dumps({"path": name, "error": problem}) + "\n", ""


class Csv:
    """A heading, then a row for each face; a picture without one has a row too, as has a failure."""

    PLACE = ("path", "frame", "time_s", "width", "height", "face")
    FACE = ("x", "y", "box_width", "box_height", "label", "confidence", "uncertain", "reasons")

    def __init__(self, card: ModelCard) -> None:
        self._labels = card.labels

    @property
    def columns(self) -> list[str]:
        """The names of the columns; one for the probability of each class."""
        return [*self.PLACE, *self.FACE, *(f"p_{label}" for label in self._labels), "error"]

    def heading(self) -> str:
        """The names of the columns as a row."""
        return self._rows([self.columns])

    def analysis(self, name: str, analysis: Analysis, moment: Moment | None = None) -> str:
        """One picture or frame."""
        when = ["", ""] if moment is None else [moment.frame, f"{moment.time_s:.3f}"]
        place = [printable(name), *when, analysis.width, analysis.height]
        rows = [
            [*place, index if face.id is None else face.id, *self._cells(face), ""]
            for index, face in enumerate(analysis.faces)
        ]
        return self._rows(rows or [[*place, *[""] * (len(self.columns) - len(place))]])

    def failure(self, name: str, error: ImageError) -> tuple[str, str]:
        """One that could not be analysed: a row; nothing for people."""
        return self._rows([[printable(name), *[""] * (len(self.columns) - 2), error.code]]), ""

    def _cells(self, face: Face) -> list[object]:
        box = [f"{value:.6f}" for value in (face.box.x, face.box.y, face.box.width, face.box.height)]
        shown = [face.label, f"{face.confidence:.6f}", str(face.uncertain).lower(), " ".join(face.reasons)]
        return [*box, *shown, *(f"{probability:.6f}" for probability in face.probabilities)]

    def _rows(self, rows: Sequence[Sequence[object]]) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue()


Writer = Table | JsonLines | Csv


def writer_for(kind: Format, card: ModelCard) -> Writer:
    """The writer of a format."""
    if kind == "table":
        return Table(card)
    return JsonLines(card) if kind == "jsonl" else Csv(card)


def in_words(reasons: Sequence[str]) -> str:
    """Reasons for people: `too_dark` is too dark."""
    return ", ".join(reason.replace("_", " ") for reason in reasons)
