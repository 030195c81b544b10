"""A run that is killed and goes on ends with the same weights, bit for bit, as one that is not."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from fer_training.data.datasets import open_data
from fer_training.learning.config import load_config
from fer_training.learning.train import Trainer

from .processes import WITHIN_S, children_of, finish, history, kill, start, train, write_config

LONG = {"epochs": "5", "batch_size": "8"}
FILES = ("best.safetensors", "last.safetensors", "history.jsonl", "frames.npz")

pytestmark = pytest.mark.slow
linux_only = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With all that could forget where it was: dropout, mixing, accumulation, the perturbed step."""
    top = 'crop = "landmarks-v1"\nframes = 2\nmixup = 0.3\ncutmix = 0.3\naccumulate = 2\nsam_rho = 0.02'
    return write_config(tmp_path_factory.mktemp("configs") / "long.toml", top=top, **LONG)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, config: Path, ferplus_folder: Path) -> Path:
    """A run that nobody killed."""
    run = tmp_path_factory.mktemp("unbroken")
    finish(train(config, ferplus_folder, run))
    return run


def wait_for(process: "subprocess.Popen[str]", run: Path, epochs: int) -> None:
    """Until so many epochs are in the history."""
    deadline = time.monotonic() + WITHIN_S
    while not (run / "history.jsonl").exists() or len(history(run)) < epochs:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def same(run: Path, unbroken: Path) -> None:
    for name in FILES:
        assert (run / name).read_bytes() == (unbroken / name).read_bytes(), name


@linux_only
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_in_an_epoch_and_between_files(
    processes: int, tmp_path: Path, config: Path, ferplus_folder: Path, request: pytest.FixtureRequest
) -> None:
    """`checkpoint.pt.partial` is made a pipe that nobody reads: the run stops where it would write there."""
    run, command = tmp_path / "run", train(config, ferplus_folder, tmp_path / "run")
    if processes == 1:
        expected = request.getfixturevalue("unbroken")
    else:
        expected = tmp_path / "unbroken"
        finish(train(config, ferplus_folder, expected), processes)
    pipe = run / "checkpoint.pt.partial"
    run.mkdir()
    os.mkfifo(pipe)
    with start(command, processes) as process:  # stops at its first checkpoint, its weights are written
        wait_for(process, run, 1)
        time.sleep(0.2)
        kill(process)
    assert (run / "last.safetensors").exists()
    assert not (run / "checkpoint.pt").exists()
    pipe.unlink()
    with start(command, processes) as process:  # in its second or third epoch
        wait_for(process, run, 1)
        while not (run / "checkpoint.pt").exists():
            time.sleep(0.01)
        time.sleep(0.15)
        said = kill(process)
    assert "from the start" in said
    assert len(history(run)) < int(LONG["epochs"])
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    done = json_epochs(run)
    with start(command, processes) as process:  # at a later checkpoint
        wait_for(process, run, done + 1)
        time.sleep(0.2)
        said = kill(process)
    assert f"going on after epoch {done}" in said
    pipe.unlink()
    assert f"going on after epoch {done}" in finish(command, processes)
    same(run, expected)


def json_epochs(run: Path) -> int:
    """Epochs in the checkpoint."""
    return int(torch.load(run / "checkpoint.pt", weights_only=True)["progress"]["epochs_done"])


@linux_only
def test_all_end_when_one_is_killed(tmp_path: Path, config: Path, ferplus_folder: Path) -> None:
    run = tmp_path / "run"
    with start(train(config, ferplus_folder, run), processes=2) as process:
        wait_for(process, run, 2)  # the checkpoint of the first is written after its line
        os.kill(children_of(process)[-1], signal.SIGKILL)
        said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    lost = said.count("has lost another one, which was killed or hangs")
    assert lost == 1 or (lost == 0 and "(SIGKILL) received by PID" in said), said  # `torchrun` may be first
    assert "rank0]: Traceback" not in said
    assert "going on after epoch" in finish(train(config, ferplus_folder, run), processes=2)


def test_a_checkpoint_from_before_the_newer_fields_goes_on(
    tmp_path: Path, ferplus_folder: Path, tiny_config_file: Path
) -> None:
    config, data = load_config(tiny_config_file), open_data(ferplus_folder)
    train_faces, validation = (data.split(part, "majority", twins=True) for part in ("train", "validation"))
    device, run = torch.device("cpu"), tmp_path / "run"
    Trainer(config, run, device).fit(train_faces, validation)
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    newer = {
        "accumulate", "sync_batch_norm", "sam_rho", "logit_adjustment", "label_smoothing", "mixup", "cutmix",
        "mix_share", "distill",
    }  # fmt: skip
    values = json.loads(state["config"])
    assert newer <= set(values)
    state["config"] = json.dumps({name: value for name, value in values.items() if name not in newer})
    state["progress"]["epochs_done"] = 3
    torch.save(state, run / "checkpoint.pt")
    lines = [{name: line[name] for name in line if name != "train_accuracy"} for line in history(run)]
    (run / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    trainer = Trainer(config, run, device)
    assert trainer.resume()
    assert trainer.fit(train_faces, validation).epochs_done == 4
    assert ["train_accuracy" in line for line in history(run)] == [False, False, False, True]
