"""`report`: show runs side by side."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fer_training.data.labelled import LabelledFaces, fingerprint
from fer_training.errors import DataError
from fer_training.protocols.faces import load_plain_faces
from fer_training.protocols.page import markdown, write_report
from fer_training.protocols.runs import Run, open_run
from fer_training.protocols.samples import Sample, draw_samples


def run(arguments: argparse.Namespace) -> None:
    """Print Markdown tables, write the page and its figures."""
    runs = [open_run(folder) for folder in arguments.run_folders]
    samples: list[tuple[Sample, ...]] = [() for _ in runs]
    if arguments.data is not None:
        faces = load_plain_faces(arguments.data, skip_broken=arguments.skip_broken)
        samples = [_samples(one, faces, arguments.data) for one in runs]
    print_report(arguments.out or arguments.run_folders[0] / "report", runs, samples)


def print_report(folder: Path, runs: Sequence[Run], samples: Sequence[Sequence[Sample]]) -> None:
    """Tables on stdout, the page into the folder."""
    page = write_report(folder, runs, samples)
    print(markdown(runs))
    print(f"the report is in `{page}`", file=sys.stderr)


def _samples(run: Run, faces: LabelledFaces, data: Path) -> tuple[Sample, ...]:
    if run.summary is None:
        return ()
    if run.summary.plan.data != fingerprint(faces):
        raise DataError(f"`{data}` holds other faces than `{run.title}` was tested on")
    return draw_samples(faces, run.results)
