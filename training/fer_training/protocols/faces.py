"""The faces of CK+ as the folds take them: pictures, where to cut them, who is on them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_gateway.inference.landmarks import LandmarkModel
from fer_training.crops.alignment import Frames, jittered_frames, serving_frames, whole_frames
from fer_training.data.ckplus import CkPlus, load_ckplus
from fer_training.data.labelled import LabelledFaces
from fer_training.learning.config import ExperimentConfig


@dataclass(frozen=True, slots=True)
class ProtocolFaces:
    """N faces with subjects and sequences (N numbers each), cut one way to train and another to test."""

    faces: LabelledFaces
    """With the frames that serving would cut."""
    training_frames: Frames
    subjects: NDArray[np.int64]
    sequences: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.faces)

    def training(self, rows: NDArray[np.int64]) -> LabelledFaces:
        """Some of the faces, to be cut as training does."""
        return self.faces[rows].aligned(self.training_frames[rows])


def load_faces(
    data: Path, config: ExperimentConfig, landmarks: Path, *, skip_broken: bool = False
) -> ProtocolFaces:
    """Read CK+ and find where the experiment's crop lies in each face.

    Raises:
        DataError: see `load_ckplus`.
    """
    loaded = load_ckplus(data, skip_broken=skip_broken)
    model = LandmarkModel.open(landmarks)
    images = loaded.faces.images
    return ProtocolFaces(
        _labelled(loaded).aligned(serving_frames(images, config.crop, model)),
        jittered_frames(images, config.crop, model, config.frames, config.seed),
        loaded.subjects,
        loaded.sequences,
    )


def load_plain_faces(data: Path, *, skip_broken: bool = False) -> LabelledFaces:
    """The faces of CK+ as they are, for a look.

    Raises:
        DataError: see `load_ckplus`.
    """
    return _labelled(load_ckplus(data, skip_broken=skip_broken))


def _labelled(loaded: CkPlus) -> LabelledFaces:
    faces = loaded.faces
    targets = np.eye(len(faces.classes), dtype=np.float32)[faces.labels]
    frames = whole_frames(faces.images)
    return LabelledFaces(faces.images, targets, faces.labels, frames, faces.classes, faces.names)
