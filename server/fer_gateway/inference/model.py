"""The emotion model: an ONNX file with its card inside, checked before it serves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fer_gateway.contract import CARD_KEY, INPUT_NAME, LOGITS_NAME, PROBABILITIES_NAME, ModelCard
from fer_gateway.errors import InvalidModel, SelfTestFailed
from fer_gateway.inference.cards import card_in, open_file
from fer_gateway.inference.providers import CPU, REFUSALS
from fer_gateway.inference.self_test import make_crops

MAX_BATCH = 64
"""Crops in one run; more are run one batch after the other, so that a crowd does not exhaust the memory."""


class EmotionModel:
    """Crops to probabilities. One instance serves any number of threads at a time."""

    def __init__(self, session: onnxruntime.InferenceSession, card: ModelCard) -> None:
        self._session = session
        self.card = card

    @classmethod
    def open(cls, path: Path, *, threads: int = 1, providers: Sequence[str] = (CPU,)) -> Self:
        """Load the file, compare its card with its graph, and prove that it answers as at export.

        Raises:
            ModelNotFound: no such file.
            InvalidModel: no ONNX graph, no card in it, or a card that contradicts the graph.
            ProviderUnavailable: see `open_session`.
            SelfTestFailed: the answers differ from those at export.
        """
        model = cls.load(path, threads=threads, providers=providers)
        model.self_test()  # also warms the session up
        return model

    @classmethod
    def load(cls, path: Path, *, threads: int = 1, providers: Sequence[str] = (CPU,)) -> Self:
        """`open` without the self-test, to look at a model that need not serve."""
        session = open_file(
            path, called="model", named_by="`--model` or `FER_MODEL`", threads=threads, providers=providers
        )
        card = card_in(session, path, key=CARD_KEY, kind=ModelCard, command="fer_training export")
        check_graph(session, card)
        return cls(session, card)

    def predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of each class.

        Args:
            crops: N x size_px x size_px x 1, uint8, grey, cut by `cut_face`; N may be 0.

        Returns:
            N x K, float32, in the order of `card.labels`; rows sum to 1.
        """
        batches = [self._run(crops[start : start + MAX_BATCH]) for start in range(0, len(crops), MAX_BATCH)]
        return np.concatenate([np.empty((0, len(self.card.labels)), np.float32), *batches])

    def self_test(self) -> float:
        """Compare the answers to two generated crops with the card's; returns the largest difference.

        Raises:
            SelfTestFailed: it exceeds the card's tolerance.
        """
        expected = np.array(self.card.self_test.probabilities)
        tolerance = self.card.self_test.tolerance
        try:
            answered = self.predict(make_crops(self.card.face.size_px))
        except REFUSALS as exc:
            raise SelfTestFailed(f"`{self.card.name}` cannot run on `{self._provider}`: {exc}") from exc
        difference = float(np.abs(answered - expected).max())
        if not difference <= tolerance:  # so that NaN fails
            raise SelfTestFailed(
                f"`{self.card.name}` answers differently on `{self._provider}` than at export: probabilities "
                f"are off by {difference:.4f}, allowed is {tolerance}; use `{CPU}`, or export it again."
            )
        return difference

    @property
    def _provider(self) -> str:
        return str(self._session.get_providers()[0])

    def run_bare(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`session.run` and nothing else: at most `MAX_BATCH` crops, N x size_px x size_px x 1, N >= 1."""
        (probabilities,) = self._session.run([PROBABILITIES_NAME], {INPUT_NAME: crops})
        return probabilities  # type: ignore[no-any-return]

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(self.run_bare(crops), np.float32)


def check_graph(session: onnxruntime.InferenceSession, card: ModelCard) -> None:
    """Compare the inputs and outputs of a graph with its card.

    Raises:
        InvalidModel: a name, type or size differs.
    """
    size_px, classes = card.face.size_px, len(card.labels)
    expected = {
        INPUT_NAME: ("tensor(uint8)", (size_px, size_px, 1)),
        PROBABILITIES_NAME: ("tensor(float)", (classes,)),
        LOGITS_NAME: ("tensor(float)", (classes,)),
    }
    nodes = [*session.get_inputs(), *session.get_outputs()]
    found = {node.name: (node.type, tuple(node.shape[1:])) for node in nodes}
    for name, promised in expected.items():
        if name not in found:
            raise InvalidModel(f"The graph has no `{name}`; export the model again.")
        if found[name] != promised:
            raise InvalidModel(
                f"`{name}` is `{_shown(*found[name])}` in the graph and `{_shown(*promised)}` in its card; "
                "export the model again."
            )
    extra = found.keys() - expected.keys()
    if extra:
        raise InvalidModel(
            f"The graph has `{min(extra)}`, which its card does not know; export the model again."
        )
    if any(isinstance(node.shape[0], int) for node in nodes):
        raise InvalidModel("The graph has a fixed batch size; export it with a free one.")


def _shown(kind: str, shape: tuple[object, ...]) -> str:
    return f"{kind} N x {' x '.join(map(str, shape))}"
