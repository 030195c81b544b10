"""Checkpoints: all that a run needs to go on after a kill, and the history of its epochs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from pydantic import BaseModel

from fer_training.errors import CheckpointError
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
    folder: Path, config: BaseModel, parts: Mapping[str, Stateful], device: torch.device
) -> dict[str, Any] | None:
    """Load the parts from the checkpoint of a run; its progress, or none where there is no checkpoint.

    Raises:
        CheckpointError: the checkpoint is damaged or belongs to another configuration.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        if state["config"] != config.model_dump_json():
            raise CheckpointError(
                f"`{path}` belongs to another configuration; give another `--run` folder or remove it"
            )
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return dict(state["progress"])
    except (KeyError, TypeError, RuntimeError, EOFError) as error:
        raise CheckpointError(f"`{path}` cannot be read ({error}); remove it to start again") from error


def append_history(folder: Path, line: dict[str, float], *, keep: int) -> None:
    """Append to the history after its first `keep` lines, so that a repeated epoch stands once."""
    path = folder / HISTORY
    lines = path.read_text(encoding="utf-8").splitlines()[:keep] if path.exists() else []
    path.write_text("\n".join([*lines, json.dumps(line)]) + "\n", encoding="utf-8")
