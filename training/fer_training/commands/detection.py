"""`detection`: faces found, false alarms and time of the detector beside OpenCV's plain scan."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import cv2
from tqdm import tqdm

from fer_gateway.vision.detect import FaceDetector
from fer_training.detection.measure import (
    BANDS_PX,
    REFERENCE,
    UPRIGHT,
    Measurement,
    measure,
    ways_to_look,
)
from fer_training.detection.pictures import load_material
from fer_training.detection.scenes import SHARES, Scene, make_scene
from fer_training.detection.search import SearchMeasurement, measure_search

UPRIGHT_SCENES = ("upright", "photo", "empty")


def run(arguments: argparse.Namespace) -> None:
    """Print a table; `--json PATH` also writes one JSON object, `-` prints that instead."""
    cv2.setNumThreads(1)  # processor time is counted for one thread
    material = load_material(arguments.data, arguments.split, skip_broken=arguments.skip_broken)

    def scenes(title: str) -> Iterator[Scene]:
        for index in tqdm(range(arguments.scenes), desc=title, mininterval=1, disable=None):
            yield make_scene(material, arguments.seed, index)

    measurement = measure(scenes("looks"), ways_to_look())
    search = measure_search(scenes("searches"), FaceDetector(), arguments.seed)
    text = json.dumps(to_dict(measurement) | {"search": asdict(search)})
    if arguments.json == Path("-"):
        print(text)
        return
    print(table(measurement))
    print(search_line(search))
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def table(measurement: Measurement) -> str:
    """Markdown: a row for each group of faces, then false alarms and time."""
    ways = list(measurement.tallies)
    rows = [["", "faces or pictures", *ways], ["---"] * (2 + len(ways))]
    for group in groups(measurement):
        recalls = [f"{measurement.recall(way, group):.3f}" for way in ways]
        rows.append([f"found: {group}", str(measurement.faces[group]), *recalls])
    for title, conditions in (
        ("false alarms a picture: upright or empty", UPRIGHT_SCENES),
        ("false alarms a picture: empty", ("empty",)),
        ("false alarms a picture: all", tuple(SHARES)),
    ):
        alarms = [f"{measurement.false_per_picture(way, conditions):.3f}" for way in ways]
        rows.append([title, str(pictures(measurement, conditions)), *alarms])
    for title, conditions in (
        ("time: upright", ("upright", "photo")),
        ("time: empty", ("empty",)),
        ("time: all", tuple(SHARES)),
    ):
        times = [f"{measurement.relative_time(way, REFERENCE, conditions):.2f}" for way in ways]
        rows.append([title, str(pictures(measurement, conditions)), *times])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def search_line(search: SearchMeasurement) -> str:
    """One sentence."""
    return (
        f"\n`search` finds {search.found:.1%} of {search.faces} known faces again, and a face at "
        f"{search.false:.1%} of {search.places} places without one; a box takes {search.relative_time:.2f} "
        "of the time of a first look."
    )


def groups(measurement: Measurement) -> list[str]:
    """The groups that have faces: upright ones by size first, the target's, then the harder conditions."""
    order = [f"upright, {low} to {high} px" for low, high in BANDS_PX] + [UPRIGHT, *SHARES]
    return [group for group in order if measurement.faces.get(group)]


def pictures(measurement: Measurement, conditions: tuple[str, ...]) -> int:
    """How many scenes have these conditions."""
    return sum(measurement.pictures.get(condition, 0) for condition in conditions)


def to_dict(measurement: Measurement) -> dict[str, object]:
    """Plain numbers."""
    return {
        "faces": dict(measurement.faces),
        "pictures": dict(measurement.pictures),
        "ways": {
            way: {
                "recall": {group: measurement.recall(way, group) for group in groups(measurement)},
                "false_per_picture": {
                    condition: measurement.false_per_picture(way, [condition])
                    for condition in measurement.pictures
                },
                "seconds": tally.seconds,
                "relative_time": measurement.relative_time(way, REFERENCE),
                "relative_time_upright": measurement.relative_time(way, REFERENCE, ("upright", "photo")),
            }
            for way, tally in measurement.tallies.items()
        },
    }
