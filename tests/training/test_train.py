"""The loop: it learns, and a killed run goes on as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_training.data.datasets import open_data
from fer_training.data.labelled import LabelledFaces
from fer_training.errors import CheckpointError, ConfigError
from fer_training.learning.config import ExperimentConfig, load_config
from fer_training.learning.logbook import Logbook
from fer_training.learning.losses import balancing_weights
from fer_training.learning.optimization import learning_rate
from fer_training.learning.train import Trainer
from fer_training.network.checkpoint import at_size, load_model, save_weights
from fer_training.network.model import Hybrid

CPU = torch.device("cpu")
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config(tiny_config_file: Path) -> ExperimentConfig:
    return load_config(tiny_config_file)


@pytest.fixture(scope="module")
def faces(ferplus_folder: Path) -> tuple[LabelledFaces, LabelledFaces]:
    data = open_data(ferplus_folder)
    return data.split("train", "argmax", twins=False), data.split("validation", "majority", twins=False)


def test_it_learns_and_leaves_its_files(
    tmp_path: Path, config: ExperimentConfig, faces: tuple[LabelledFaces, LabelledFaces]
) -> None:
    progress = Trainer(config, tmp_path, CPU).fit(*faces)
    history = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4]
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert progress.best_accuracy == max(line["accuracy"] for line in history)
    for name in ("best.safetensors", "last.safetensors", "checkpoint.pt"):
        assert (tmp_path / name).stat().st_size > 0
    assert np.float32(1e-40) * np.float32(0.5) > 0, "the arithmetic of this thread is as it was"


def test_a_resumed_run_ends_with_the_same_weights(
    tmp_path: Path, config: ExperimentConfig, faces: tuple[LabelledFaces, LabelledFaces]
) -> None:
    Trainer(config, tmp_path / "whole", CPU).fit(*faces)

    class Killed(Exception):
        pass

    class Doomed(Trainer):
        def _record(self, model: Hybrid, epoch: int, values: dict[str, float], logbook: Logbook) -> None:
            if epoch == 2:
                raise Killed
            super()._record(model, epoch, values, logbook)

    with pytest.raises(Killed):
        Doomed(config, tmp_path / "broken", CPU).fit(*faces)
    second = Trainer(config, tmp_path / "broken", CPU)
    assert second.resume()
    assert second.progress.epochs_done == 2
    second.fit(*faces)
    whole, broken = (
        load_model(tmp_path / run / "last.safetensors").state_dict() for run in ("whole", "broken")
    )
    for name, tensor in whole.items():
        assert torch.equal(tensor, broken[name]), name
    lines = [(tmp_path / run / "history.jsonl").read_text() for run in ("whole", "broken")]
    assert lines[0] == lines[1]


def test_sigkill_loses_at_most_the_epoch(tmp_path: Path, tiny_config_file: Path, ferplus_zip: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "fer_training",
        "train",
        str(tiny_config_file),
        "--data",
        str(ferplus_zip),
    ]
    command += ["--run", str(tmp_path), "--device", "cpu"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        while not (tmp_path / "checkpoint.pt").exists() and process.poll() is None:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    resumed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert "going on after epoch" in resumed.stderr
    history = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4]
    assert "epoch 4" in resumed.stderr


def test_checkpoint_of_another_experiment_is_refused(
    tmp_path: Path, config: ExperimentConfig, faces: tuple[LabelledFaces, LabelledFaces]
) -> None:
    Trainer(config.model_copy(update={"epochs": 1}), tmp_path, CPU).fit(*faces)
    with pytest.raises(CheckpointError, match="belongs to another configuration"):
        Trainer(config, tmp_path, CPU).resume()
    (tmp_path / "checkpoint.pt").write_bytes(b"half a checkpoint")
    with pytest.raises(CheckpointError, match="remove it to start again"):
        Trainer(config, tmp_path, CPU).resume()


def test_nothing_to_resume_is_no_error(tmp_path: Path, config: ExperimentConfig) -> None:
    assert not Trainer(config, tmp_path, CPU).resume()


def test_weights_rebuild_their_model(tmp_path: Path, config: ExperimentConfig) -> None:
    torch.manual_seed(3)
    model = Hybrid(config.model).eval()
    save_weights(model, tmp_path / "full.safetensors")
    save_weights(model, tmp_path / "half.safetensors", half=True)
    faces = torch.randn(4, 1, config.model.image_size, config.model.image_size)
    full, half = (load_model(tmp_path / f"{name}.safetensors") for name in ("full", "half"))
    assert full.config == half.config == config.model
    assert torch.equal(full(faces), model(faces))
    torch.testing.assert_close(half(faces), model(faces), atol=0.02, rtol=0.02)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.75 * sizes[0]


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        load_model(tmp_path / "missing.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(CheckpointError, match="no weights file of this project"):
        load_model(tmp_path / "text.safetensors")


def test_rate_warms_up_and_falls_by_a_cosine(config: ExperimentConfig) -> None:
    config = config.model_copy(update={"epochs": 10, "warmup_epochs": 2.0, "learning_rate": 1.0})
    rates = [learning_rate(config, epoch) for epoch in np.linspace(0, 10, 101)]
    assert rates[0] < 0.01
    assert max(rates) == pytest.approx(1.0)
    assert np.argmax(rates) == 20
    assert all(later < earlier for earlier, later in pairwise(rates[20:]))
    assert rates[-1] == pytest.approx(0.01)
    steady = config.model_copy(update={"schedule": "constant", "warmup_epochs": 0.0})
    assert {learning_rate(steady, epoch) for epoch in (0, 5, 10)} == {1.0}


def test_rare_classes_weigh_more_and_the_mean_face_weighs_one() -> None:
    targets = np.array([[1, 0]] * 9 + [[0, 1]], np.float32)
    assert balancing_weights(targets, 0.0).tolist() == [1, 1]
    weights = balancing_weights(targets, 0.5).numpy()
    assert weights[1] / weights[0] == pytest.approx(3)
    assert (targets @ weights).mean() == pytest.approx(1)
    assert np.isfinite(balancing_weights(np.array([[1, 0]], np.float32), 1.0).numpy()).all()


def test_weights_start_at_another_picture_size(tmp_path: Path, config: ExperimentConfig) -> None:
    torch.manual_seed(5)
    model = Hybrid(config.model).eval()
    larger = at_size(model, 64)
    assert larger.config == replace(config.model, image_size=64)
    assert larger(torch.randn(2, 1, 64, 64)).shape == (2, 8)
    last = "mobilenet.last.0.weight"
    assert torch.equal(larger.state_dict()[last], model.state_dict()[last])
    assert torch.equal(larger.vit.position[:, 0], model.vit.position[:, 0])  # of the class token
    same = at_size(model, config.model.image_size)
    faces = torch.randn(2, 1, config.model.image_size, config.model.image_size)
    torch.testing.assert_close(same(faces), model(faces))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("epochs = 0", "`epochs`: Input should be greater than or equal to 1"),
        ("epoch = 3", "`epoch`: Extra inputs are not permitted"),
        ("[augment]\nzoom = 1.5", "`augment.zoom`: Input should be less than 1"),
        ("[model]\nfusion = 'sum'", "`model.fusion`: Input should be"),
        ("[model]\nvit_dim = 10\nvit_heads = 4", "`model`: .*`vit_dim` 10 is no multiple of `vit_heads` 4"),
        ("[model]\ndropout = 3", "`model`: .*`dropout` is 3.0, expected 0 or more and less than 1"),
        ("[model]\nvit_depth = -1", "`model`: .*`vit_depth` is -1, expected 1 or more"),
        ("[model]\nwidth = -1", "`model`: .*`width` is -1.0, expected a number above 0"),
        ("epochs = ", "is no TOML"),
        ("name = 'gl\xfccklich'", "wrong.toml` is no UTF-8 text: .* at byte 10"),
    ],
)
def test_wrong_experiment_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=named):
        load_config(path)


def test_a_folder_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)


def test_shipped_experiments_are_valid() -> None:
    files = sorted((REPOSITORY / "training" / "configs").glob("*.toml"))
    assert files
    for file in files:
        assert load_config(file).name == file.stem
