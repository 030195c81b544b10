"""The names that data sets give to emotions, and which classes a model and a data set share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_training.data.labelled import LabelledFaces
from fer_training.errors import DataError

SYNONYMS: Mapping[str, str] = {
    "neutral": "neutral",
    "neutrality": "neutral",
    "calm": "neutral",
    "happiness": "happiness",
    "happy": "happiness",
    "joy": "happiness",
    "surprise": "surprise",
    "surprised": "surprise",
    "sadness": "sadness",
    "sad": "sadness",
    "anger": "anger",
    "angry": "anger",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "contempt": "contempt",
    "contemptuous": "contempt",
}
"""Lower-case names in the field -> the names of FER+."""


def place_of(name: str, labels: Sequence[str]) -> int | None:
    """The place among a model's labels of a class: of its own name, else of its emotion's; none without."""
    named = {_key(label): place for place, label in enumerate(labels)}
    places = {SYNONYMS[key]: place for key, place in named.items() if key in SYNONYMS} | named
    key = _key(name)
    return places.get(key, places.get(SYNONYMS.get(key, "")))


@dataclass(frozen=True, slots=True)
class Shared:
    """The classes that a model and a data set share."""

    labels: tuple[str, ...]
    """Their names in the model, in its order."""
    columns: NDArray[np.int64]
    """Their places among the model's labels."""
    label_of: Mapping[int, int]
    """Class of the data -> place in `labels`."""
    only_in_data: tuple[str, ...]
    only_in_model: tuple[str, ...]

    @property
    def partial(self) -> bool:
        """Whether the model or the data has classes that the other lacks."""
        return bool(self.only_in_data or self.only_in_model)

    def faces(self, faces: LabelledFaces) -> LabelledFaces:
        """The faces of shared classes, with labels and targets in the order of `labels`."""
        faces = faces[np.isin(faces.labels, list(self.label_of))]
        relabelled = np.array([self.label_of[int(label)] for label in faces.labels], np.int64)
        sources = {place: number for number, place in self.label_of.items()}
        targets = faces.targets[:, [sources[place] for place in range(len(self.labels))]]
        total = targets.sum(axis=1, keepdims=True)
        return replace(
            faces,
            targets=np.divide(targets, total, out=np.zeros_like(targets), where=total > 0),
            labels=relabelled,
            classes=self.labels,
        )

    def in_model(self, faces: LabelledFaces) -> LabelledFaces:
        """The faces of shared classes, with labels and targets in the places of all labels of the model."""
        faces = self.faces(faces)
        names = list(self.only_in_model)
        for place, label in zip(self.columns.tolist(), self.labels, strict=True):
            names.insert(place, label)
        targets = np.zeros((len(faces), len(names)), np.float32)
        targets[:, self.columns] = faces.targets
        return replace(faces, targets=targets, labels=self.columns[faces.labels], classes=tuple(names))

    def restricted(self, probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
        """Probabilities over the model's labels (N x K), renormalised over the shared ones."""
        chosen = probabilities[:, self.columns]
        return np.asarray(chosen / chosen.sum(axis=1, keepdims=True))


def shared_classes(classes: tuple[str, ...], labels: tuple[str, ...]) -> Shared:
    """Match the classes of a data set to the labels of a model, by name or by synonym.

    Raises:
        DataError: a class that is neither a label nor a known name of an emotion, two classes of one label,
            or fewer than two shared classes.
    """
    found: dict[int, int] = {}
    for number, name in enumerate(classes):
        place = place_of(name, labels)
        if place is None and _key(name) not in SYNONYMS:
            raise DataError(
                f"the class `{name}` of the data is no label of the model ({', '.join(labels)}) and no known "
                f"name of an emotion ({', '.join(sorted(SYNONYMS))}); rename it"
            )
        if place is None:
            continue
        if place in found.values():
            raise DataError(
                f"two classes of the data, one of them `{name}`, are `{labels[place]}`; join them"
            )
        found[number] = place
    if len(found) < 2:
        raise DataError(
            f"fewer than two classes are shared by the model ({', '.join(labels)}) and the data "
            f"({', '.join(classes)})"
        )
    columns = sorted(found.values())
    return Shared(
        labels=tuple(labels[place] for place in columns),
        columns=np.array(columns, np.int64),
        label_of={number: columns.index(place) for number, place in found.items()},
        only_in_data=tuple(name for number, name in enumerate(classes) if number not in found),
        only_in_model=tuple(label for place, label in enumerate(labels) if place not in columns),
    )


def _key(name: str) -> str:
    return name.strip().lower()
