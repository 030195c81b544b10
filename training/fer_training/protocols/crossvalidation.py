"""A whole protocol in a folder: its plan, its folds, its summary; goes on after a kill."""

import hashlib
import sys
import time
from pathlib import Path

import torch
from pydantic import ValidationError

from fer_gateway.models import PACKAGED_LANDMARKS
from fer_training.data.labelled import fingerprint
from fer_training.errors import CheckpointError, ConfigError
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.start import start_from
from fer_training.learning.train import Kernels
from fer_training.network.model import Hybrid, HybridConfig
from fer_training.protocols.faces import ProtocolFaces
from fer_training.protocols.fold import FoldResult, FoldTask
from fer_training.protocols.jobs import train_folds
from fer_training.protocols.overlap import overlap
from fer_training.protocols.splits import Fold, Protocol, make_folds
from fer_training.protocols.summary import Plan, Summary, summarise, write_summary

PLAN = "plan.json"


def ablated(
    config: ExperimentConfig, classes: int, *, fusion: str | None = None, token_stride: int | None = None
) -> ExperimentConfig:
    """The experiment for so many classes, with another fusion or other tokens where they are given.

    Raises:
        ConfigError: a model that cannot be.
    """
    changes = {"classes": classes, "fusion": fusion, "token_stride": token_stride}
    shape = {
        **config.model.to_dict(),
        **{name: value for name, value in changes.items() if value is not None},
    }
    try:
        return ExperimentConfig.model_validate({**config.model_dump(), "model": shape})
    except ValidationError as error:
        raise ConfigError(f"`{config.name}` with {changes}: {error.errors()[0]['msg']}") from error


def make_plan(
    config: ExperimentConfig,
    faces: ProtocolFaces,
    protocol: Protocol,
    *,
    count: int,
    seed: int = 0,
    weights: Path | None = None,
    landmarks: Path = PACKAGED_LANDMARKS,
    kernels: Kernels = "plain",
) -> Plan:
    """The plan of a protocol on these faces, which `landmarks` cut.

    Raises:
        CheckpointError: weights that do not fit.
    """
    source, fresh = None, tuple[str, ...]()
    if weights is not None:
        fresh = start_from(weights, config, faces.faces.classes).fresh
        source = f"{weights.name}, SHA-256 {_digest(weights)}"
    return Plan(
        experiment=config,
        protocol=protocol,
        count=count,
        seed=seed,
        data=fingerprint(faces.faces),
        landmarks=_digest(landmarks),
        kernels=kernels,
        weights=source,
        fresh=fresh,
    )


def crossvalidate(
    plan: Plan,
    faces: ProtocolFaces,
    folder: Path,
    *,
    weights: Path | None,
    device: str,
    jobs: int = 1,
    keep_weights: bool = False,
) -> Summary:
    """Train and test every fold that is not finished yet; write and return the summary.

    Raises:
        CheckpointError: the folder belongs to another plan, or its files are damaged.
    """
    _claim(folder, plan)
    folds = make_folds(plan.protocol, faces.subjects, faces.faces.labels, plan.count, plan.seed)
    tasks = [
        FoldTask(
            fold, folder / fold.name, plan.experiment, faces, weights, device, keep_weights, plan.kernels
        )
        for fold in folds
    ]
    results: dict[str, FoldResult] = {}
    by_name = {fold.name: fold for fold in folds}
    for result in train_folds(tasks, jobs):
        results[result.name] = result
        print(_line(faces, by_name[result.name], result, len(results), len(folds)), file=sys.stderr)
    summary = summarise(plan, faces, folds, results, face_milliseconds(plan.experiment.model))
    write_summary(folder, summary)
    return summary


@torch.inference_mode()
def face_milliseconds(config: HybridConfig, repeats: int = 15) -> float:
    """The median time of one face through the network in PyTorch, on one thread of the processor."""
    model, face = Hybrid(config).eval(), torch.zeros(1, 1, config.image_size, config.image_size)
    before, times = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for _ in range(repeats):
        began = time.perf_counter()
        model(face)
        times.append(time.perf_counter() - began)
    torch.set_num_threads(before)
    return round(1000 * sorted(times)[repeats // 2], 2)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _claim(folder: Path, plan: Plan) -> None:
    path = folder / PLAN
    text = plan.model_dump_json(indent=1) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise CheckpointError(
            f"`{path}` is of other data, weights, landmarks, kernels or folds, or of another experiment; "
            "give another `--run` folder or remove it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _line(faces: ProtocolFaces, fold: Fold, result: FoldResult, done: int, count: int) -> str:
    right = (result.predicted() == faces.faces.labels[fold.test]).mean()
    known = overlap(fold.train, fold.test, faces.sequences, faces.subjects)
    return (
        f"{fold.name} ({done} of {count}): {len(fold.test)} test faces, accuracy {right:.2%}, "
        f"a {result.share:.3f}, {result.seconds:.0f} s; {known}"
    )
