"""`prepare`: write a data set without the faces that leak from one part into another."""

import argparse

from fer_training.data.prepare import prepare


def run(arguments: argparse.Namespace) -> None:
    """Write the zip file and print what was kept and dropped."""
    report = prepare(arguments.data, arguments.out, skip_broken=arguments.skip_broken)
    print(f"{'part':<10}{'kept':>8}{'exact twins':>13}{'near twins':>12}")
    for part, faces in report.faces.items():
        print(f"{part:<10}{faces:>8,}{report.exact_twins[part]:>13,}{report.near_twins[part]:>12,}")
    print(f"`{arguments.out}` has the layout of {report.layout}; its parts are {report.parts}")
