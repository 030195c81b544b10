"""The report on one or several runs: one HTML file without requests, PNG files, Markdown tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from fer_training.protocols.figures import (
    accuracy_figure,
    confusion_figure,
    inline_svg,
    loss_figure,
    reliability_figure,
    samples_figure,
    share_figure,
    write_png,
)
from fer_training.protocols.runs import Run
from fer_training.protocols.samples import Sample
from fer_training.protocols.summary import Summary
from fer_training.protocols.tables import (
    Table,
    class_table,
    confusion_table,
    cost_table,
    fold_table,
    protocol_table,
)

PAGE = "report.html"

_OF_CURVES: Mapping[str, Callable[[Run], Figure]] = {
    "accuracy": lambda run: accuracy_figure(run.curves),
    "loss": lambda run: loss_figure(run.curves),
    "share": lambda run: share_figure(run.curves),
}
_OF_SUMMARY: Mapping[str, Callable[[Summary], Figure]] = {
    "confusion": confusion_figure,
    "reliability": reliability_figure,
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure in the text of the page."""

    name: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """What the page shows of one run."""

    run: Run
    drawings: tuple[Drawing, ...]
    tables: tuple[Table, ...]
    samples: tuple[Sample, ...]


def write_report(folder: Path, runs: Sequence[Run], samples: Sequence[Sequence[Sample]]) -> Path:
    """Write `report.html` and a PNG a figure, and return the page; `samples`: faces of each run, or none."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = [
        _section(folder, run, tuple(faces), prefix=f"{number}-" if len(runs) > 1 else "")
        for number, (run, faces) in enumerate(zip(runs, samples, strict=True), start=1)
    ]
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["loud"] = _loud
    page = environment.get_template(PAGE).render(
        title=runs[0].title if len(runs) == 1 else f"{len(runs)} runs side by side",
        comparison=comparison(runs),
        sections=sections,
        faces_shown=any(section.samples for section in sections),
    )
    (folder / PAGE).write_text(page, encoding="utf-8")
    return folder / PAGE


def comparison(runs: Sequence[Run]) -> tuple[Table, ...]:
    """The runs that have a test, side by side."""
    summaries = [run.summary for run in runs if run.summary is not None]
    return (protocol_table(summaries), cost_table(summaries)) if summaries else ()


def markdown(runs: Sequence[Run]) -> str:
    """The same numbers for a text file."""
    tables = list(comparison(runs))
    for run in runs:
        if run.summary is not None and len(runs) == 1:
            tables += [fold_table(run.summary), class_table(run.summary), confusion_table(run.summary)]
    return "\n\n".join(table.markdown() for table in tables)


def _section(folder: Path, run: Run, samples: tuple[Sample, ...], prefix: str) -> Section:
    figures = {name: draw(run) for name, draw in _OF_CURVES.items()}
    tables: tuple[Table, ...] = ()
    if run.summary is not None:
        figures |= {name: draw(run.summary) for name, draw in _OF_SUMMARY.items()}
        tables = (class_table(run.summary), confusion_table(run.summary), fold_table(run.summary))
    for name, figure in figures.items():
        write_png(figure, folder / f"{prefix}{name}.png")
    if samples:
        write_png(samples_figure(samples), folder / f"{prefix}samples.png")
    drawings = tuple(
        Drawing(name, Markup(inline_svg(figure)))  # noqa: S704, drawn here
        for name, figure in figures.items()
    )
    return Section(run, drawings, tables, samples)


def _loud(cell: str) -> Markup:
    """Markdown's `**bold**` as HTML."""
    parts = [escape(part) for part in cell.split("**")]
    loud = '<strong class="leaky">{}</strong>'
    return Markup("").join(
        Markup(loud).format(part) if index % 2 else part  # noqa: S704, a constant
        for index, part in enumerate(parts)
    )
