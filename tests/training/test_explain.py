"""The check of explanations: right where the truth is known, and a command that prints it."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.occlusion import CELLS
from fer_training.cli import main
from fer_training.errors import DataError
from fer_training.measure.explanation import RANDOM_DRAWS, measure_faithfulness

from .conftest import ROWS

SIDE_PX = 48


class Looks(EmotionModel):
    """Sees only some cells: the first probability is the contrast in them, 0..1."""

    def __init__(self, cells: list[tuple[int, int]]) -> None:
        self._cells = cells
        self.pictures = 0

    def predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.pictures += len(crops)
        cell = SIDE_PX // CELLS
        contrast = np.zeros(len(crops))
        for row, column in self._cells:
            part = crops[:, row * cell : (row + 1) * cell, column * cell : (column + 1) * cell, 0]
            contrast += part.std(axis=(1, 2)) / 128 / len(self._cells)
        return np.stack([contrast, (1 - contrast) / 2, (1 - contrast) / 2], axis=1).astype(np.float32)


@pytest.fixture
def checks() -> NDArray[np.uint8]:
    """Five pictures with detail everywhere."""
    random = np.random.default_rng(5)
    return (random.random((5, SIDE_PX, SIDE_PX)) < 0.5).astype(np.uint8) * 255


def test_a_few_decisive_cells_are_found(checks: NDArray[np.uint8]) -> None:
    """All of a small thirteenth part matters: its cells are the strongest, random ones hit a fifth of it."""
    model = Looks([(2, 2), (2, 3), (3, 2)])
    found = measure_faithfulness(model, checks)
    assert found.faces == 5
    assert found.strongest.value > 0.5  # everything it looks at is gone
    assert 2.5 < found.ratio.value < 15  # 64 / 13 cells on average
    assert found.ratio.low <= found.ratio.value <= found.ratio.high
    assert model.pictures == 5 * (1 + 49 + 1 + RANDOM_DRAWS)


def test_where_all_cells_matter_alike_there_is_no_ratio_to_win(checks: NDArray[np.uint8]) -> None:
    everywhere = [(row, column) for row in range(CELLS) for column in range(CELLS)]
    assert measure_faithfulness(Looks(everywhere), checks).ratio.value == pytest.approx(1, abs=0.1)


def test_a_model_that_looks_at_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="too little to compare with"):
        measure_faithfulness(Looks([(0, 0)]), np.zeros((3, SIDE_PX, SIDE_PX), np.uint8))


def test_the_command_prints_both_falls_and_their_ratio(
    default_model: Path, ferplus_zip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On two people in many versions; the shipped model must pass here as it does on FER+."""
    command = ["explain", str(default_model), "--data", str(ferplus_zip), "--faces", "10"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 10
    assert found["ratio"]["value"] == pytest.approx(
        found["strongest"]["value"] / found["random"]["value"], rel=0.01
    )
    assert found["ratio"]["value"] >= 1.5
    assert found["ratio"]["low"] <= found["ratio"]["value"] <= found["ratio"]["high"]


def test_never_more_faces_than_there_are(
    tiny_model: Path, ferplus_zip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["explain", str(tiny_model), "--data", str(ferplus_zip)]
    assert main([*command, "--json", str(tmp_path / "found.json")]) == 0
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["n"] == ROWS["private"]
    assert main(command) == 0
    assert "strongest 20% hidden" in capsys.readouterr().out
