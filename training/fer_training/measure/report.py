"""An evaluation as people and programs read it: lines of text, one JSON object."""

import json
from pathlib import Path

from fer_gateway.contract import Doubt, Evaluation


def print_table(evaluation: Evaluation) -> None:
    """Scores with their intervals, a line each."""
    print(f"{evaluation.data}: {evaluation.faces:,} faces")
    for name, interval in (("accuracy", evaluation.accuracy), ("macro F1", evaluation.macro_f1)):
        print(f"  {name:<28}{interval.value:.4f}   95 % {interval.low:.4f} .. {interval.high:.4f}")
    print(f"  {'expected calibration error':<28}{evaluation.expected_calibration_error:.4f}")
    for name, recall in evaluation.recall.items():
        print(f"  {'recall ' + name:<28}{recall:.4f}")


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
        "doubt": doubt.model_dump(exclude={"data"}) if doubt is not None else None,
    }


def write_json(values: dict[str, object], path: Path) -> None:
    """One JSON object in one line, into a file or, where the path is `-`, to standard output."""
    text = json.dumps(values)
    if path == Path("-"):
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")
