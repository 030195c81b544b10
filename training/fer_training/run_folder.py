"""The files of one training run."""

from pathlib import Path

from fer_training.errors import CheckpointError

BEST_WEIGHTS = "best.safetensors"
LAST_WEIGHTS = "last.safetensors"
CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"
CALIBRATION = "calibration.json"
FRAMING = "framing.json"


def read_step(path: Path, command: str) -> str:
    """The text of a file that an earlier command wrote.

    Raises:
        CheckpointError: it is not there; names the command.
    """
    if not path.is_file():
        raise CheckpointError(f"`{path}` does not exist; run `python -m fer_training {command}` first")
    return path.read_text(encoding="utf-8")
