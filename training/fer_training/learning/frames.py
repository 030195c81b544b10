"""Where training cuts faces by landmarks: minutes of search, shared by the processes and kept in the run."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from fer_gateway.inference.landmarks import LandmarkModel
from fer_training.crops.alignment import Frames, jittered_frames, serving_frames
from fer_training.data.labelled import LabelledFaces
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.distributed import Processes
from fer_training.learning.run_folder import FRAMES


def aligned_faces(
    train: LabelledFaces,
    validation: LabelledFaces,
    config: ExperimentConfig,
    landmarks: LandmarkModel,
    *,
    folder: Path,
    together: Processes,
) -> tuple[LabelledFaces, LabelledFaces]:
    """Both parts with the frames of the experiment's crop.

    Each process searches its share of the faces. The first keeps the result in the folder of the run, so that
    a resumed run starts at once; frames of other faces or of another experiment there are made anew.
    """
    if config.crop == "box-v1":
        return train, validation
    key = _key(train, validation, config, landmarks)
    kept = together.from_first(lambda: _read(folder / FRAMES, key))
    if kept is None:
        kept = (
            together.joined(
                lambda rows: jittered_frames(
                    train.images[rows], config.crop, landmarks, config.frames, config.seed, first=rows.start
                ),
                len(train),
            ),
            together.joined(
                lambda rows: serving_frames(validation.images[rows], config.crop, landmarks), len(validation)
            ),
        )
        if together.first:
            _write(folder / FRAMES, key, *kept)
    return train.aligned(kept[0]), validation.aligned(kept[1])


def _key(
    train: LabelledFaces, validation: LabelledFaces, config: ExperimentConfig, landmarks: LandmarkModel
) -> str:
    """SHA-256 of all that the frames depend on."""
    parts = (
        train.images.tobytes(),
        validation.images.tobytes(),
        f"{config.crop} {config.frames} {config.seed}".encode(),
        landmarks.card.model_dump_json().encode(),
    )
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def _read(path: Path, key: str) -> tuple[Frames, Frames] | None:
    """The frames that belong to this key; none where there are none, which costs time only."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return (kept["train"], kept["validation"]) if str(kept["key"]) == key else None
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, key: str, train: Frames, validation: Frames) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, key=np.array(key), train=train, validation=validation)
    partial.replace(path)
