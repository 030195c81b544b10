"""An evaluation as people and programs read it: lines of text, one JSON object."""

import json
from pathlib import Path

from fer_gateway.contract import CalibrationScores, Doubt, EndToEnd, Evaluation, Interval


def print_table(evaluation: Evaluation) -> None:
    """Scores with their intervals, a line each."""
    print(f"{evaluation.data}: {evaluation.faces:,} faces")
    _print_interval("accuracy", evaluation.accuracy)
    _print_interval("macro F1", evaluation.macro_f1)
    if evaluation.calibration is None:
        print(f"  {'expected calibration error':<28}{evaluation.expected_calibration_error:.4f}")
    else:
        _print_calibration(evaluation.calibration)
    print(f"  {'':<28}{'recall':<27}{'precision':>9}{'F1':>8}{'faces':>8}")
    for name, scores in evaluation.classes.items():
        recall = scores.recall
        print(
            f"  {name:<28}{recall.value:.4f}   95 % {recall.low:.4f} .. {recall.high:.4f}"
            f"{scores.precision.value:>8.4f}{scores.f1.value:>9.4f}{scores.faces:>7,}"
        )


def print_end_to_end(end_to_end: EndToEnd) -> None:
    """From whole pictures to labels, beside the same faces cut at their known place."""
    print(f"{end_to_end.data}: {end_to_end.faces:,} faces")
    _print_interval("accuracy, no face is wrong", end_to_end.accuracy)
    _print_interval("accuracy, face cut in place", end_to_end.crop_accuracy)
    loss = end_to_end.loss_points
    print(f"  {'lost':<28}{loss.value:.2f} points   95 % {loss.low:.2f} .. {loss.high:.2f}")
    print(
        f"  {'not found':<28}{end_to_end.not_found:.4f}   no box that overlaps the face by "
        f"{end_to_end.least_overlap:g} (intersection over union)"
    )
    print(f"  {'accuracy where found':<28}{end_to_end.accuracy_of_found:.4f}")
    print(f"  {'other boxes per picture':<28}{end_to_end.other_boxes:.4f}")


def to_dict(evaluation: Evaluation, doubt: Doubt | None = None) -> dict[str, object]:
    """Plain numbers, their intervals beside them."""
    accuracy, macro_f1 = evaluation.accuracy, evaluation.macro_f1
    return {
        "data": evaluation.data,
        "n": evaluation.faces,
        "accuracy": accuracy.value,
        "accuracy_interval": [accuracy.low, accuracy.high],
        "macro_f1": macro_f1.value,
        "macro_f1_interval": [macro_f1.low, macro_f1.high],
        "ece": evaluation.expected_calibration_error,
        "per_class": evaluation.recall,
        "classes": {name: scores.model_dump() for name, scores in evaluation.classes.items()},
        "calibration": evaluation.calibration.model_dump() if evaluation.calibration is not None else None,
        "doubt": doubt.model_dump(exclude={"data"}) if doubt is not None else None,
    }


def write_json(values: dict[str, object], path: Path) -> None:
    """One JSON object in one line, into a file or, where the path is `-`, to standard output."""
    text = json.dumps(values)
    if path == Path("-"):
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")


def _print_interval(name: str, interval: Interval) -> None:
    print(f"  {name:<28}{interval.value:.4f}   95 % {interval.low:.4f} .. {interval.high:.4f}")


def _print_calibration(scores: CalibrationScores) -> None:
    _print_interval("expected calibration error", scores.expected_calibration_error)
    chance = scores.expected_calibration_error_of_chance
    print(f"  {'':<28}{chance:.4f}   by chance alone, if confidence were exact")
    _print_interval("Brier score", scores.brier_score)
    _print_interval("negative log likelihood", scores.negative_log_likelihood)
    print(f"  {'area under risk, coverage':<28}{scores.risk_coverage_area:.4f}")
    for point in scores.risk_coverage:
        print(
            f"  {f'error at {point.coverage:.0%} coverage':<28}{point.error:.4f}"
            f"   confidence from {point.confidence:.3f}"
        )
    print(f"  {'confidence':<28}{'accuracy':<11}{'mean':<9}faces")
    for one in scores.reliability:
        span = f"{one.low:.3f} .. {one.high:.3f}"
        print(f"  {span:<28}{one.accuracy:<11.4f}{one.confidence:<9.4f}{one.faces:,}")
    if scores.entropy is not None:
        agreement = scores.entropy
        print(
            f"  {'entropy against the votes':<28}Spearman {agreement.spearman:.3f}, "
            f"Pearson {agreement.pearson:.3f}; mean bits of votes and prediction, faces:"
        )
        for group in agreement.bins:
            print(f"  {'':<28}{group.votes:.3f}   {group.prediction:.3f}   {group.faces:,}")
