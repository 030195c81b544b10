"""The files of one training run."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from fer_training.errors import CheckpointError
from fer_training.learning.config import ExperimentConfig

BEST_WEIGHTS = "best.safetensors"
LAST_WEIGHTS = "last.safetensors"
WEIGHTS: Mapping[str, str] = {"best": BEST_WEIGHTS, "last": LAST_WEIGHTS}
EXPERIMENT = "experiment.json"
CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"
FRAMES = "frames.npz"
CALIBRATION = "calibration.json"
FRAMING = "framing.json"


def read_experiment(folder: Path) -> ExperimentConfig:
    """What the run in this folder was trained with.

    Raises:
        CheckpointError: the folder holds no run, or its file is damaged.
    """
    text = read_step(folder / EXPERIMENT, f"train CONFIG --run {folder}")
    try:
        return ExperimentConfig.model_validate_json(text)
    except ValidationError as error:
        raise CheckpointError(f"`{folder / EXPERIMENT}` cannot be read: {error}") from error


def read_step(path: Path, command: str) -> str:
    """The text of a file that an earlier command wrote.

    Raises:
        CheckpointError: it is not there; names the command.
    """
    if not path.parent.is_dir():
        raise CheckpointError(
            f"`{path.parent}` does not exist; expected the folder of a finished run of `train`"
        )
    if not path.is_file():
        raise CheckpointError(f"`{path}` does not exist; run `python -m fer_training {command}` first")
    return path.read_text(encoding="utf-8")
