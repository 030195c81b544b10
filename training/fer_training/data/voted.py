"""FER+, from whichever layout: ten votes a face, three parts, rules that say which faces count."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_gateway.contract import EMOTIONS
from fer_training.crops.alignment import whole_frames
from fer_training.data.ferplus import Faces
from fer_training.data.labelled import LabelledFaces
from fer_training.data.parts import SPLITS, Split
from fer_training.data.twins import drop_twins
from fer_training.data.votes import Rule, keep_by, labels_of, targets_of


@dataclass(frozen=True, slots=True)
class VotedData:
    """The parts of `load_ferplus`."""

    parts: Mapping[str, Faces]
    skipped: int = 0
    """Broken pictures that were left out."""
    name: str = "FER+"
    classes: tuple[str, ...] = EMOTIONS
    has_parts: bool = True

    def split(self, split: Split, rule: Rule, *, twins: bool) -> LabelledFaces:
        """The faces of a part that the rule keeps."""
        faces = (self.parts if twins else drop_twins(self.parts))[SPLITS[split]]
        faces = faces[keep_by(rule, faces.votes)]
        targets, labels = targets_of(faces.votes), labels_of(faces.votes)
        return LabelledFaces(faces.images, targets, labels, whole_frames(faces.images), names=faces.names)

    def images(self, split: Split) -> NDArray[np.uint8]:
        """All faces of a part, N x 48 x 48, whatever their votes."""
        return self.parts[SPLITS[split]].images

    def title(self, split: str, rule: Rule) -> str:
        """The name of a set of faces in a card, for example `FER+ test, majority`."""
        return f"{self.name} {split}, {rule}"
