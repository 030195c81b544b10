"""`fer-gateway analyze`: the emotions in image files."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from fer_gateway.api.gateway import open_analyzer
from fer_gateway.commands.options import analysis_options_from, settings_from
from fer_gateway.contract import ModelCard
from fer_gateway.errors import ImageError, UnreadableFile
from fer_gateway.faces import Analysis, Face, analysis_to_dict
from fer_gateway.vision.opencv import configure_opencv


def run(arguments: argparse.Namespace) -> int:
    """Analyse each file; one that fails is reported and the rest goes on, the exit status is 1 then."""
    settings = settings_from(arguments)
    options = analysis_options_from(arguments)
    configure_opencv()
    analyzer = open_analyzer(settings)
    failed = False
    for path in arguments.paths:
        try:
            analysis = analyzer.analyze(read(path, settings.max_body_bytes), options)
        except ImageError as error:
            failed = True
            if arguments.json:
                print(json.dumps({"path": str(path), "error": error_to_dict(error)}))
            else:
                print(f"{path}: {error}", file=sys.stderr)
        else:
            if arguments.json:
                print(json.dumps({"path": str(path), **analysis_to_dict(analysis, analyzer.card)}))
            else:
                print(table(path, analysis, analyzer.card))
    return int(failed)


def read(path: Path, max_bytes: int) -> bytes:
    """The file's bytes; one byte more than `max_bytes` where it is larger, enough to refuse it."""
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as exc:
        raise UnreadableFile(f"The file cannot be read ({exc.strerror}); check the path.") from exc


def error_to_dict(error: ImageError) -> dict[str, str]:
    """An error as the members of a problem that make sense without HTTP."""
    return {"code": error.code, "title": error.title, "detail": str(error)}


def table(path: Path, analysis: Analysis, card: ModelCard) -> str:
    """One picture for people: a heading, then a line for each face."""
    count = len(analysis.faces)
    faces = {0: "no face", 1: "1 face"}.get(count, f"{count} faces")
    size = f"{analysis.width} x {analysis.height} px"
    heading = f"{path}: {faces}, {size}, {analysis.timing['total_ms']:.0f} ms"
    return "\n".join([heading, *(_row(face, analysis, card) for face in analysis.faces)])


def _row(face: Face, analysis: Analysis, card: ModelCard) -> str:
    x, width = face.box.x * analysis.width, face.box.width * analysis.width
    y, height = face.box.y * analysis.height, face.box.height * analysis.height
    place = f"{width:.0f} x {height:.0f} px at {x:.0f}, {y:.0f}"
    ranked = sorted(zip(face.probabilities, card.labels, strict=True), reverse=True)
    others = ", ".join(f"{label} {probability:.1%}" for probability, label in ranked[1:3])
    name = f"{face.label}?" if face.uncertain else face.label
    doubt = f"; not sure: {in_words(face.reasons)}" if face.uncertain else ""
    return f"  {name:<11} {face.confidence:>6.1%}   {place:<28} then {others}{doubt}"


def in_words(reasons: Sequence[str]) -> str:
    """Reasons for people: `too_dark` is too dark."""
    return ", ".join(reason.replace("_", " ") for reason in reasons)
