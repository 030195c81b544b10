"""Tables of a report, the same in HTML and in Markdown: protocols side by side, classes, folds, parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fer_gateway.contract import Interval
from fer_training.measure.metrics import class_scores
from fer_training.protocols.overlap import Overlap
from fer_training.protocols.scores import AverageIntervals
from fer_training.protocols.summary import Summary, Together

PAPER = ("98.51", "98.45", "98.99", "98.71")
"""Accuracy, precision, recall and F1 as the paper prints them, in per cent."""


@dataclass(frozen=True, slots=True)
class Table:
    """A head and rows of text."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table in Markdown, its caption above."""
        lines = [self.head, tuple("---" for _ in self.head), *self.rows]
        return "\n".join([f"{self.caption}:", "", *(f"| {' | '.join(cells)} |" for cells in lines)])


def protocol_table(summaries: Sequence[Summary]) -> Table:
    """What each run scores, beside how much of its test it knew from training."""
    paper = ("the paper, as printed", "not said; random images", *PAPER, "", "", "")
    return Table(
        "In per cent. Mean over folds or seeds, 95 % t interval; pooled: all answers, 95 % bootstrap; recall "
        "weighted by faces is the accuracy",
        (
            "run",
            "test seen in training",
            "accuracy",
            "macro precision",
            "macro recall",
            "macro F1",
            "weighted precision",
            "weighted F1",
            "pooled accuracy",
        ),
        (paper, *(row for summary in summaries for row in _rows(summary))),
    )


def cost_table(summaries: Sequence[Summary]) -> Table:
    """What each run's model costs: whether a part earns it is read beside its accuracy."""
    rows = []
    for summary in summaries:
        experiment = summary.plan.experiment
        model, shares = experiment.model, [fold.share for fold in summary.folds]
        minutes = sum(fold.seconds for fold in summary.folds) / len(summary.folds) / 60
        rows.append(
            (
                summary.plan.title,
                model.fusion,
                f"stride {model.token_stride}" if "patches" not in model.fusion else f"{model.patch_px} px",
                _with_interval(summary.mean, summary.pooled, "accuracy"),
                f"{sum(shares) / len(shares):.3f} ({min(shares):.3f} .. {max(shares):.3f})",
                f"{summary.parameters / 1e6:.2f} M",
                f"{summary.multiply_adds / 1e6:.1f} M",
                f"{summary.milliseconds:.1f} ms",
                f"{minutes:.1f} min",
            )
        )
    return Table(
        "Parts and cost. a is the share of MobileNetV2: mean over folds, least and most",
        (
            "run",
            "fusion",
            "tokens",
            "accuracy %",
            "a",
            "parameters",
            "multiply-adds",
            "a face",
            "training a fold",
        ),
        tuple(rows),
    )


def class_table(summary: Summary) -> Table:
    """The classification report of all answers (the paper's figure 8)."""
    rows = [
        (name, f"{score.precision:.4f}", f"{score.recall:.4f}", f"{score.f1:.4f}", f"{score.faces}")
        for name, score in zip(summary.classes, class_scores(summary.table), strict=True)
    ]
    whole, total = summary.pooled, f"{summary.table.sum()}"
    for kind in ("macro", "weighted"):
        values = (getattr(whole, f"{kind}_{name}").value for name in ("precision", "recall", "f1"))
        rows.append((f"{kind} average", *(f"{value:.4f}" for value in values), total))  # type: ignore[arg-type]
    rows.append(("accuracy", "", "", f"{whole.accuracy.value:.4f}", total))
    return Table("All test answers", ("class", "precision", "recall", "F1", "faces"), tuple(rows))


def confusion_table(summary: Summary) -> Table:
    """Counts: row = label, column = answer (the paper's figure 7)."""
    rows = zip(summary.classes, summary.confusion, strict=True)
    return Table(
        "Faces by label (row) and answer (column)",
        ("", *summary.classes),
        tuple((name, *(str(count) for count in counts)) for name, counts in rows),
    )


def fold_table(summary: Summary) -> Table:
    """Each fold for itself."""
    return Table(
        "Folds",
        ("fold", "training", "test", "test seen in training", "accuracy", "macro F1", "a", "training time"),
        tuple(
            (
                fold.name,
                str(fold.train),
                str(fold.test),
                seen(fold.overlap),
                f"{fold.scores.accuracy:.2%}",
                f"{fold.scores.macro_f1:.4f}",
                f"{fold.share:.3f}",
                f"{fold.seconds:.0f} s",
            )
            for fold in summary.folds
        ),
    )


def seen(overlap: Overlap) -> str:
    """The overlap in a cell, loud where there is any."""
    if not overlap.leaky:
        return "nothing"
    return f"**LEAKY**: {overlap.sequence:.1%} by sequence, {overlap.subject:.1%} by person"


def percent(interval: Interval) -> str:
    """`97.1 (95.9 .. 98.3)`."""
    return f"{100 * interval.value:.2f} ({100 * interval.low:.1f} .. {100 * interval.high:.1f})"


def _rows(summary: Summary) -> Iterator[tuple[str, ...]]:
    yield (summary.plan.title, seen(summary.overlap), *_scores(summary))
    if summary.with_mirror is not None:
        yield ("the same, mean with the mirror image", seen(summary.overlap), *_scores(summary.with_mirror))


def _scores(answers: Together) -> tuple[str, ...]:
    names = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "weighted_precision", "weighted_f1")
    return (
        *(_with_interval(answers.mean, answers.pooled, name) for name in names),
        percent(answers.pooled.accuracy),
    )


def _with_interval(mean: AverageIntervals | None, pooled: AverageIntervals, name: str) -> str:
    """The mean over folds; of a single one the value alone, since the pooled interval stands beside it."""
    if mean is None:
        return f"{100 * getattr(pooled, name).value:.2f}"
    return percent(getattr(mean, name))
