"""Several processes of `torchrun` train as one with a larger batch does, and end together."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fer_training.crops.alignment import whole_frames
from fer_training.crops.augment import AugmentConfig
from fer_training.crops.batches import TrainingBatches
from fer_training.errors import ConfigError
from fer_training.learning.batch_norm import SharedBatchNorm2d, synchronise
from fer_training.learning.distributed import Processes, of_this_process
from fer_training.network.checkpoint import load_model
from fer_training.network.model import Hybrid, HybridConfig

from .conftest import ROWS
from .processes import finish, history, train, write_config

CPU = torch.device("cpu")
HALF = ROWS["train"] // 2
ONE_STEP_AN_EPOCH = {"epochs": "4", "learning_rate": "1e-3", "dropout": "0.0"}
"""So that the history holds the loss of each step; dropout's noise differs between processes."""


@pytest.mark.slow
def test_two_processes_are_one_with_the_doubled_batch(tmp_path: Path, ferplus_folder: Path) -> None:
    program = [str(Path(__file__).parent / "exact_run.py")]
    alone = write_config(tmp_path / "alone.toml", batch_size=str(2 * HALF), **ONE_STEP_AN_EPOCH)
    shared = "sync_batch_norm = true\nbalance = 0.5"
    both = write_config(tmp_path / "both.toml", top=shared, batch_size=str(HALF), **ONE_STEP_AN_EPOCH)
    alone.write_text(f"balance = 0.5\n{alone.read_text()}")
    for config, processes in ((alone, 1), (both, 2)):
        finish([str(config), str(ferplus_folder), str(tmp_path / config.stem)], processes, program)
    expected, got = history(tmp_path / "alone"), history(tmp_path / "both")
    assert [line["loss"] for line in got] == pytest.approx([line["loss"] for line in expected], abs=1e-5)
    names = ("train_accuracy", "accuracy", "validation_loss")
    for one_line, two_line in zip(expected, got, strict=True):
        assert [two_line[name] for name in names] == pytest.approx(
            [one_line[name] for name in names], abs=1e-5
        )
    one, two = (load_model(tmp_path / run / "last.safetensors").state_dict() for run in ("alone", "both"))
    assert list(one) == list(two), "the file of weights does not show how they were trained"
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-4, rtol=1e-3, msg=name)


@pytest.mark.slow
def test_processes_share_the_work_and_one_talks(tmp_path: Path, ferplus_folder: Path) -> None:
    top = 'crop = "landmarks-v1"\nframes = 2'
    alone = write_config(tmp_path / "alone.toml", top=top, batch_size=str(2 * HALF), **ONE_STEP_AN_EPOCH)
    top += "\nsync_batch_norm = true"
    both = write_config(tmp_path / "both.toml", top=top, batch_size=str(HALF), **ONE_STEP_AN_EPOCH)
    finish(train(alone, ferplus_folder, tmp_path / "alone"))
    said = finish(train(both, ferplus_folder, tmp_path / "both"), processes=2)
    for line in ("epoch 1/4: loss", "epoch 4 is best", "its weights are in"):
        assert said.count(line) <= 1, said
    assert said.count("epoch 4/4: loss") == said.count("its weights are in") == 1
    kept = [np.load(tmp_path / run / "frames.npz") for run in ("alone", "both")]
    for name in ("train", "validation", "key"):
        np.testing.assert_array_equal(kept[0][name], kept[1][name])
    first = [history(tmp_path / run)[0]["loss"] for run in ("alone", "both")]
    assert first[1] == pytest.approx(first[0], abs=1e-3), "but for the rounding of float32"
    again = finish(train(both, ferplus_folder, tmp_path / "both"), processes=2)
    assert "alignment" not in again, "a run that goes on does not search again"


@pytest.mark.slow
def test_an_error_of_all_is_told_once(tmp_path: Path) -> None:
    config = write_config(tmp_path / "tiny.toml")
    said = finish(train(config, tmp_path / "nowhere", tmp_path / "run"), processes=2, status=1)
    assert said.count("nowhere` does not exist") == 1, said
    assert "rank0]: Traceback" not in said


def test_alone_there_is_nothing_to_share() -> None:
    alone = Processes()
    assert alone.first
    values = torch.tensor([1.0, 2.0])
    assert torch.equal(alone.mean(values), values)
    assert alone.from_first(lambda: "here") == "here"
    rows = np.arange(7.0)
    np.testing.assert_array_equal(alone.joined(lambda part: rows[part], 7), rows)
    assert of_this_process(CPU, 1) == CPU


def test_the_layers_share_their_statistics_and_keep_their_names() -> None:
    torch.manual_seed(1)
    model = Hybrid(
        HybridConfig(image_size=32, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16)
    )
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    synchronise(model, CPU)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    assert all(isinstance(norm, SharedBatchNorm2d) for norm in norms)


def test_too_few_faces_for_all_are_refused() -> None:
    images = np.zeros((30, 48, 48), np.uint8)
    parts = (images, whole_frames(images), np.eye(30, 8, dtype=np.float32), 32, 16, AugmentConfig(), 0)
    assert len(TrainingBatches(*parts)) == 1
    with pytest.raises(ConfigError, match="30 training faces do not fill one step of 2 processes"):
        TrainingBatches(*parts, rank=1, processes=2)
