"""Drawings of a report: curves, confusion matrix, reliability, sample faces; SVG for pages, PNG as files."""

import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_training.protocols.runs import Curves, Values
from fer_training.protocols.samples import Sample
from fer_training.protocols.summary import Summary

INK = "#17202b"
"""Of text and axes; in a page it becomes the colour of its text, light or dark."""

_TRAIN, _TEST = "#2f7fd0", "#d9712b"
_DOTS_PER_INCH = 150


def accuracy_figure(curves: Curves) -> Figure:
    """Training and test accuracy an epoch (the paper's figure 5): mean over folds, all folds as a band."""
    figure, axes = _axes("accuracy %")
    _curve(axes, 100 * curves.train_accuracy, _TRAIN, "training (random views)")
    _curve(axes, 100 * curves.accuracy, _TEST, "test")
    axes.legend(loc="lower right", frameon=False)
    return figure


def loss_figure(curves: Curves) -> Figure:
    """Training and test loss an epoch (the paper's figure 6)."""
    figure, axes = _axes("loss")
    _curve(axes, curves.loss, _TRAIN, "training (random views)")
    _curve(axes, curves.validation_loss, _TEST, "test")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right", frameon=False)
    return figure


def share_figure(curves: Curves) -> Figure:
    """The learned a of equation 11 an epoch, a line a fold."""
    figure, axes = _axes("a, the share of MobileNetV2")
    for fold in curves.share:
        axes.plot(1 + np.arange(len(fold)), fold, color=_TRAIN, linewidth=1, alpha=0.6)
    return figure


def confusion_figure(summary: Summary) -> Figure:
    """The confusion matrix (the paper's figure 7): counts, coloured by the share of the label's faces."""
    table = summary.table
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    with _style():
        figure = Figure(figsize=(5.2, 4.8), layout="constrained")
        axes = figure.add_subplot()
        colours = np.zeros((*shares.shape, 4))
        colours[..., :3] = (0.18, 0.5, 0.82)
        colours[..., 3] = 0.75 * shares**0.5  # single mistakes stay visible
        edges = np.arange(len(table) + 1) - 0.5
        axes.pcolormesh(edges, edges, colours, edgecolors="none")
        for row, column in np.ndindex(*table.shape):
            if table[row, column]:
                axes.text(column, row, str(table[row, column]), ha="center", va="center")
        ticks = range(len(table))
        axes.set_xticks(ticks, summary.classes, rotation=40, ha="right")
        axes.set_yticks(ticks, summary.classes)
        axes.invert_yaxis()
        axes.set(xlabel="answer", ylabel="label", aspect="equal")
        axes.grid(visible=False)
    return figure


def reliability_figure(summary: Summary) -> Figure:
    """How often answers of each confidence are right; dots as large as their share of the faces."""
    bins = summary.calibration.reliability
    with _style():
        figure = Figure(figsize=(4.4, 4.4), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":")
        faces = np.array([one.faces for one in bins])
        confidence, accuracy = [one.confidence for one in bins], [one.accuracy for one in bins]
        axes.plot(confidence, accuracy, color=_TEST, linewidth=1)
        axes.scatter(confidence, accuracy, s=20 + 300 * faces / faces.sum(), color=_TEST, alpha=0.8)
        axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    return figure


def samples_figure(samples: Sequence[Sample]) -> Figure:
    """Faces with label and answer (the paper's figure 9); shows people: for local use."""
    columns = 7
    rows = -(-len(samples) // columns)
    with _style():
        figure = Figure(figsize=(1.35 * columns, 1.75 * rows), layout="constrained")
        for number, sample in enumerate(samples):
            axes = figure.add_subplot(rows, columns, number + 1)
            axes.imshow(sample.image, cmap="gray", vmin=0, vmax=255)
            axes.set_title(sample.caption, fontsize=7.5, color=INK if sample.right else "#c22727")
            axes.axis("off")
    return figure


def inline_svg(figure: Figure) -> str:
    """The figure for the text of a page: scales with it, in the colour of its text, on no background."""
    text = io.StringIO()
    with _style():
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()[text.getvalue().index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    head, rest = svg.split(">", 1)
    return re.sub(r' (width|height)="[^"]*"', "", head) + ">" + rest


def write_png(figure: Figure, path: Path) -> None:
    """The figure as a file, on white."""
    with _style():
        figure.savefig(path, dpi=_DOTS_PER_INCH, facecolor="white", metadata={"Software": None})


def _axes(label: str) -> tuple[Figure, Axes]:
    with _style():
        figure = Figure(figsize=(5.6, 3.4), layout="constrained")
        axes = figure.add_subplot()
        axes.set(xlabel="epoch", ylabel=label)
    return figure, axes


def _curve(axes: Axes, folds: Values, colour: str, label: str) -> None:
    if np.isnan(folds).all():
        return
    epochs = 1 + np.arange(folds.shape[1])
    axes.fill_between(epochs, folds.min(axis=0), folds.max(axis=0), color=colour, alpha=0.2, linewidth=0)
    axes.plot(epochs, folds.mean(axis=0), color=colour, label=label)


def _style() -> AbstractContextManager[None]:
    """Plain, and the same whatever the user's own settings are."""
    return rc_context(
        {
            "text.color": INK,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "font.size": 9,
            "font.family": "sans-serif",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "svg.fonttype": "none",
            "svg.hashsalt": "fer",
        }
    )
