"""`crossvalidate`: train and test on CK+ by a protocol, then write the report."""

import argparse
import sys

from fer_training.commands.report import print_report
from fer_training.learning.config import load_config
from fer_training.learning.devices import device_named
from fer_training.protocols.crossvalidation import ablated, crossvalidate, make_plan
from fer_training.protocols.faces import load_faces
from fer_training.protocols.runs import open_run
from fer_training.protocols.samples import draw_samples
from fer_training.protocols.splits import Protocol

_SEEDS, _FOLDS = 5, 10


def run(arguments: argparse.Namespace) -> None:
    """Train what is not finished, print the tables, write `summary.json` and `report/` into the run."""
    protocol: Protocol = arguments.protocol
    count = arguments.count or (_SEEDS if protocol == "random" else _FOLDS)
    device_named(arguments.device)
    config = load_config(arguments.config)
    faces = load_faces(arguments.data, config, arguments.landmarks, skip_broken=arguments.skip_broken)
    config = ablated(
        config, len(faces.faces.classes), fusion=arguments.fusion, token_stride=arguments.token_stride
    )
    plan = make_plan(
        config,
        faces,
        protocol,
        count=count,
        seed=arguments.seed,
        weights=arguments.weights,
        landmarks=arguments.landmarks,
        kernels=arguments.kernels,
    )
    print(f"{plan.title}: {len(faces)} faces, {count} to train, {arguments.jobs} at a time", file=sys.stderr)
    if plan.fresh:
        print(f"fresh parameters: {', '.join(plan.fresh)}", file=sys.stderr)
    crossvalidate(
        plan,
        faces,
        arguments.run,
        weights=arguments.weights,
        device=arguments.device,
        jobs=arguments.jobs,
        keep_weights=arguments.keep_weights,
    )
    finished = open_run(arguments.run)
    print_report(arguments.run / "report", [finished], [draw_samples(faces.faces, finished.results)])
