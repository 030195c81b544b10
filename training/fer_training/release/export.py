"""From a finished run to the shipped files: the graph with its measured card, and its weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fer_gateway.contract import (
    EMOTIONS,
    Doubt,
    EndToEnd,
    Evaluation,
    FaceSpec,
    Framing,
    ModelCard,
    Provenance,
    SelfTest,
    Template,
)
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.cascade import FRONTAL_FACE, cascade_sha256, find_cascade
from fer_training.data.labelled import LabelledFaces
from fer_training.measure.metrics import evaluate_probabilities
from fer_training.measure.predictions import predict_faces
from fer_training.network.checkpoint import load_model, save_weights
from fer_training.network.graph import NORMALISATION, rewrite_card, self_test_probabilities, write_graph
from fer_training.network.model import Hybrid
from fer_training.network.size import count_multiply_adds, count_parameters
from fer_training.release.provenance import provenance


def export(
    weights: Path,
    out: Path,
    *,
    name: str,
    version: str,
    temperature: float,
    framing: Framing,
    template: Template | None = None,
    doubt: Doubt | None = None,
    half_weights: Path | None = None,
    labels: tuple[str, ...] = EMOTIONS,
    origin: Provenance | None = None,
) -> ModelCard:
    """Write the ONNX file of a run, with a card without evaluations yet, and its weights in half precision.

    Where half-precision weights are written, the graph is made from them, so that both files are one model.
    `labels` are the classes in their order; `origin` is said of weights that did not come from FER+ alone.

    Raises:
        CheckpointError, ParityError: see `load_model` and `write_graph`.
    """
    if half_weights is not None:
        save_weights(load_model(weights), half_weights, half=True)
        weights = half_weights
    model = load_model(weights)
    card = _card(model, name, version, temperature, (framing, template), labels=labels)
    card = card.model_copy(update={"doubt": doubt, "provenance": origin or card.provenance})
    write_graph(model, card, out)
    return card


def evaluate_model(
    model: EmotionModel, landmarks: LandmarkModel, faces: LabelledFaces, data: str
) -> Evaluation:
    """Scores of an exported model on faces cut as serving cuts them; `data` names the set."""
    probabilities = predict_faces(model, landmarks, faces.images)
    votes = faces.targets if faces.voted else None
    return evaluate_probabilities(data, model.card.labels, probabilities, faces.labels, votes)


def add_evaluations(
    path: Path, evaluations: Sequence[Evaluation], end_to_end: EndToEnd | None = None
) -> ModelCard:
    """Put scores into the card of an exported model; evaluations in place of those with the same `data`."""
    card = EmotionModel.open(path).card
    renewed = {evaluation.data: evaluation for evaluation in (*card.evaluations, *evaluations)}
    card = card.model_copy(
        update={"evaluations": tuple(renewed.values()), "end_to_end": end_to_end or card.end_to_end}
    )
    rewrite_card(path, card)
    return card


def _card(
    model: Hybrid,
    name: str,
    version: str,
    temperature: float,
    place: tuple[Framing, Template | None],
    *,
    labels: tuple[str, ...],
) -> ModelCard:
    framing, template = place
    expected = self_test_probabilities(model, temperature)
    return ModelCard(
        name=name,
        version=version,
        labels=labels,
        face=FaceSpec(
            algorithm="box-v1" if template is None else "landmarks-v1",
            size_px=model.config.image_size,
            framing=framing,
            template=template,
            cascade_sha256=cascade_sha256(find_cascade(FRONTAL_FACE)),
        ),
        normalisation=NORMALISATION,
        temperature=round(temperature, 4),
        parameters=count_parameters(model),
        multiply_adds=count_multiply_adds(model, model.config.image_size),
        fusion_share=round(float(model.share.detach()), 4),
        provenance=provenance("Started from random weights; no other data, no teacher."),
        self_test=SelfTest(probabilities=tuple(tuple(row) for row in np.round(expected, 6).tolist())),
    )
