"""Checkpoints: all that a run needs to go on after a kill, and the history of its epochs."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from pydantic import BaseModel

from fer_training.errors import CheckpointError
from fer_training.learning.distributed import Processes
from fer_training.learning.run_folder import CHECKPOINT, HISTORY


class Stateful(Protocol):
    """A part of a run: its model, the average of it, the optimizer."""

    def state_dict(self) -> dict[str, Any]: ...  # noqa: D102, PyTorch's
    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...  # noqa: D102, PyTorch's


def keep(folder: Path, config: BaseModel, parts: Mapping[str, Stateful], progress: dict[str, Any]) -> None:
    """Write the checkpoint of a run; a kill leaves the one before."""
    state = {
        "config": config.model_dump_json(),
        "progress": progress,
        **{name: part.state_dict() for name, part in parts.items()},
    }
    partial = folder / f"{CHECKPOINT}.partial"
    torch.save(state, partial)
    partial.replace(folder / CHECKPOINT)


def restore(
    folder: Path, config: BaseModel, parts: Mapping[str, Stateful], together: Processes | None = None
) -> dict[str, Any] | None:
    """Load the parts from the checkpoint of a run; its progress, or none where there is no checkpoint.

    Of several processes the first reads it: others may be on machines that do not have the folder.

    Raises:
        CheckpointError: the checkpoint is damaged or belongs to another configuration.
    """
    path = folder / CHECKPOINT
    state = (together or Processes()).from_first(lambda: _read(path))
    if state is None:
        return None
    try:
        if type(config).model_validate_json(state["config"]) != config:
            raise CheckpointError(
                f"`{path}` belongs to another configuration; give another `--run` folder or remove it"
            )
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return dict(state["progress"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"`{path}` cannot be read ({error}); remove it to start again") from error


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except (LookupError, TypeError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"`{path}` cannot be read ({error}); remove it to start again") from error


def append_history(folder: Path, line: Mapping[str, float], *, keep: int) -> None:
    """Append to the history after its first `keep` lines, so that a repeated epoch stands once.

    A kill leaves the old history or the new one, never half of it.
    """
    path = folder / HISTORY
    lines = path.read_text(encoding="utf-8").splitlines()[:keep] if path.exists() else []
    partial = folder / f"{HISTORY}.partial"
    partial.write_text("\n".join([*lines, json.dumps(dict(line))]) + "\n", encoding="utf-8")
    partial.replace(path)
