"""`fer-gateway model inspect`: the card of a model."""

import argparse
from pathlib import Path

from fer_gateway.commands.options import settings_from
from fer_gateway.contract import ModelCard
from fer_gateway.inference.model import EmotionModel


def run(arguments: argparse.Namespace) -> int:
    """Print the card; a model whose self-test fails here can be inspected too."""
    path: Path = arguments.path or settings_from(arguments).model_file
    card = EmotionModel.load(path).card
    print(card.model_dump_json() if arguments.json else table(path, card))
    return 0


def table(path: Path, card: ModelCard) -> str:
    """The card for people: one fact a line."""
    framing = card.face.framing
    facts = [
        ("file", f"{path} ({path.stat().st_size / 1e6:.2f} MB)"),
        ("model", f"{card.name} {card.version}"),
        ("labels", ", ".join(card.labels)),
        ("crop", f"{card.face.algorithm}, {card.face.size_px} x {card.face.size_px} px, grey"),
        (
            "framing",
            f"{framing.scale:.3f} x the Haar box, moved by {framing.offset_x:+.3f}, {framing.offset_y:+.3f} "
            f"of its side ({framing.faces_measured:,} faces measured)",
        ),
        ("detector", card.face.detector),
        ("cascade", f"SHA-256 {card.face.cascade_sha256}"),
        ("pixels", f"/ {card.normalisation.divisor:g} {card.normalisation.shift:+g}, in the graph"),
        ("temperature", f"{card.temperature:.3f}, in the graph"),
        ("parameters", f"{card.parameters:,}, {card.precision}"),
        ("multiply-adds", f"{card.multiply_adds:,} a face"),
        ("fusion", f"{card.fusion_share:.1%} MobileNetV2, {1 - card.fusion_share:.1%} ViT"),
        *(("score", score) for score in _scores(card)),
        ("created", f"{card.provenance.created}, git {card.provenance.git_sha}"),
        ("data", ", ".join(card.provenance.data)),
        ("licence", card.provenance.licence),
        ("notes", card.provenance.notes),
    ]
    return "\n".join(f"{name:<14} {fact}" for name, fact in facts if fact)


def _scores(card: ModelCard) -> list[str]:
    return [
        f"{evaluation.data}, {evaluation.faces:,} faces: "
        f"accuracy {evaluation.accuracy.value:.1%} ({evaluation.accuracy.low:.1%} to "
        f"{evaluation.accuracy.high:.1%}), macro F1 {evaluation.macro_f1.value:.3f}, "
        f"calibration error {evaluation.expected_calibration_error:.3f}"
        for evaluation in card.evaluations
    ] or ["not measured"]
