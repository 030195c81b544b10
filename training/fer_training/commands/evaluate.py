"""`evaluate`: score an ONNX model on a part of a data set, on the classes that both have."""

import argparse
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_gateway.analyzer import Analyzer
from fer_gateway.contract import EMOTIONS, EndToEnd
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.data.ckplus import is_ckplus_name, mark_of
from fer_training.data.datasets import DataSet, open_data
from fer_training.data.emotion_names import Shared, shared_classes
from fer_training.data.labelled import LabelledFaces, evenly_spread, joined
from fer_training.data.parts import EVERYTHING, SPLITS, Split
from fer_training.data.votes import Rule
from fer_training.detection.pictures import load_grounds
from fer_training.measure.beside import Beside, KnownPeople, SharedClasses, ShortScores
from fer_training.measure.end_to_end import compare, look_at
from fer_training.measure.known_faces import score_without_twins
from fer_training.measure.metrics import Probabilities, evaluate_probabilities
from fer_training.measure.predictions import serving_crops
from fer_training.measure.report import print_table, to_dict, write_json
from fer_training.protocols.overlap import overlap
from fer_training.release.doubt import doubt_line, measure_doubt
from fer_training.release.export import add_evaluations

Part = Split | Literal["all"]


def run(arguments: argparse.Namespace) -> None:
    """Print a table, or with `--json PATH` (`-` is standard output) one JSON object."""
    model = EmotionModel.open(arguments.model, threads=arguments.threads)
    landmarks = LandmarkModel.open(arguments.landmarks)
    data = open_data(arguments.data, skip_broken=arguments.skip_broken)
    part = part_for(model.card.labels, data, arguments.split)
    shared = shared_classes(data.classes, model.card.labels)
    faces = shared.faces(_faces(data, part, arguments.rule, twins=not arguments.drop_twins))
    name = _name(data, part, shared, arguments.rule, twins_dropped=arguments.drop_twins)
    votes = faces.targets if faces.voted else None

    crops = serving_crops(model, landmarks, faces.images)
    answers = model.predict(crops[..., None])
    probabilities = shared.restricted(answers)
    evaluation = evaluate_probabilities(name, shared.labels, probabilities, faces.labels, votes)
    labels = shared.columns[faces.labels]  # among all labels of the model
    chosen = model.card.doubt
    doubt = chosen and measure_doubt(answers, labels, chosen.uncertain_below, name)
    end_to_end = None
    if arguments.end_to_end is not None:
        rows = evenly_spread(len(faces), arguments.end_to_end)
        analyzer = Analyzer.open(arguments.model, arguments.landmarks, threads=arguments.threads)
        end_to_end = _end_to_end(analyzer, faces.images[rows], answers[rows], labels[rows], name)

    beside = Beside(
        split=part,
        may_be_known=part == "train" or (part == EVERYTHING and model.card.labels != EMOTIONS),
        skipped=data.skipped,
        shared_classes=_classes(shared),
        unrestricted=_short(name, model.card.labels, answers, labels) if shared.only_in_model else None,
        flip=_short(
            f"{name}, mean with the mirror image",
            shared.labels,
            shared.restricted(_flipped(model, crops, answers)),
            faces.labels,
        )
        if arguments.flip
        else None,
        twins=score_without_twins(
            faces.images,
            data.images("train"),
            probabilities,
            faces.labels,
            arguments.twins,
            names=shared.labels,
            data=name,
        )
        if _has_training_part_beside(data, part)
        else None,
        overlap=_known_people(data, part, faces.names, arguments.rule),
        end_to_end=end_to_end,
    )
    if arguments.card:
        add_evaluations(arguments.model, [evaluation, *beside.for_the_card], beside.end_to_end)
    if arguments.json is not None:
        write_json({**to_dict(evaluation, doubt), **beside.model_dump()}, arguments.json)
        return
    print_table(evaluation)
    beside.print()
    if doubt is not None:
        print(f"  {doubt_line(doubt)}")


def part_for(labels: tuple[str, ...], data: DataSet, asked: Part) -> Part:
    """The part to score: of data without parts, every face where the model cannot have seen any.

    That is one with the labels of FER+. One that was trained on class folders has their names as labels, and
    gets the faces that were held out, also of folders that were renamed since.
    """
    if asked == "test" and not data.has_parts and labels == EMOTIONS != data.classes:
        return EVERYTHING
    return asked


def _faces(data: DataSet, part: Part, rule: Rule, *, twins: bool) -> LabelledFaces:
    if part != EVERYTHING:
        return data.split(part, rule, twins=twins)
    present: list[Split] = [split for split in SPLITS if len(data.images(split))]
    return joined([data.split(split, rule, twins=twins) for split in present])


def _name(data: DataSet, part: Part, shared: Shared, rule: Rule, *, twins_dropped: bool) -> str:
    name = data.title(part, rule)
    if shared.partial:
        name += f", {len(shared.labels)} shared classes"
    return f"{name}, twins dropped" if twins_dropped else name


def _classes(shared: Shared) -> SharedClasses | None:
    if not shared.partial:
        return None
    return SharedClasses(
        shared=shared.labels, only_in_data=shared.only_in_data, only_in_model=shared.only_in_model
    )


def _short(
    data: str, names: tuple[str, ...], probabilities: Probabilities, labels: NDArray[np.int64]
) -> ShortScores:
    return ShortScores.of(evaluate_probabilities(data, names, probabilities, labels))


def _flipped(model: EmotionModel, crops: NDArray[np.uint8], answers: Probabilities) -> Probabilities:
    """The mean of the answers (N x K) to crops (N x S x S) and to their mirror images."""
    return (answers + model.predict(np.ascontiguousarray(crops[:, :, ::-1])[..., None])) / 2


def _end_to_end(
    analyzer: Analyzer,
    images: NDArray[np.uint8],
    answers: Probabilities,
    labels: NDArray[np.int64],
    name: str,
) -> EndToEnd:
    """Faces (N x S x S) in pictures, beside the answers (N x K) to the same faces cut in place."""
    sightings = look_at(analyzer, images, load_grounds())
    return compare(f"{name}, in pictures of 640 x 480", sightings, answers, labels)


def _has_training_part_beside(data: DataSet, part: Part) -> bool:
    return part not in ("train", EVERYTHING) and len(data.images("train")) > 0


def _known_people(data: DataSet, part: Part, names: tuple[str, ...], rule: Rule) -> KnownPeople | None:
    """None where there is no training part beside the scored one, or file names tell no people."""
    if not _has_training_part_beside(data, part):
        return None
    training = data.split("train", rule, twins=True).names
    if not all(is_ckplus_name(name) for name in (*training, *names)):
        return None
    marks = [mark_of(name) for name in (*training, *names)]
    numbers = {mark: number for number, mark in enumerate(sorted(set(marks)))}
    sequences = np.array([numbers[mark] for mark in marks])
    rows = np.arange(len(marks))
    found = overlap(
        rows[: len(training)], rows[len(training) :], sequences, np.array([subject for subject, _ in marks])
    )
    return KnownPeople(sequence=found.sequence, subject=found.subject, leaky=found.leaky)
