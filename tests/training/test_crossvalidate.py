"""`crossvalidate` as users run it: every fold is trained, a kill costs an epoch, nothing else is mixed in."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fer_training.cli import main
from fer_training.network.checkpoint import save_weights
from fer_training.network.model import Hybrid, HybridConfig
from fer_training.protocols.fold import RESULT, read_result
from fer_training.protocols.overlap import Overlap
from fer_training.protocols.summary import Summary, read_summary

from .ckplus import FRAMES, SUBJECTS, write_ckplus

TINY = """
crop = "box-v1"
epochs = {epochs}
batch_size = 8
learning_rate = 5e-3
warmup_epochs = 0.5
ema_decay = 0.8
[model]
image_size = 32
width = 0.25
vit_dim = 16
vit_depth = 1
vit_heads = 2
fused_dim = 16
[augment]
zoom = 0.05
rotation_degrees = 3.0
shift = 0.03
flip = true
erase = 0.0
"""
FACES = 7 * SUBJECTS * FRAMES


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, astronaut: Path, grace_hopper: Path) -> Path:
    return write_ckplus(tmp_path_factory.mktemp("ckplus") / "ckdatas.zip", [astronaut, grace_hopper])


def write_config(folder: Path, epochs: int = 2) -> Path:
    path = folder / "tiny.toml"
    path.write_text(TINY.format(epochs=epochs), encoding="utf-8")
    return path


def command(config: Path, data: Path, folder: Path, *more: str) -> list[str]:
    where = ["--data", str(data), "--run", str(folder), "--device", "cpu"]
    return ["crossvalidate", str(config), "--protocol", "subjects", "--count", "2", *where, *more]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A run with enough epochs to learn, two folds of people side by side."""
    folder = tmp_path_factory.mktemp("learned")
    assert main(command(write_config(folder, epochs=14), data, folder / "run", "--jobs", "2")) == 0
    return folder / "run"


def test_it_learns_what_carries_over_to_new_people(learned: Path) -> None:
    summary = read_summary(learned)
    assert summary.pooled.accuracy.value > 0.5, "chance is 0.14"
    assert summary.overlap == Overlap(sequence=0, subject=0)
    assert summary.table.sum() == FACES
    assert summary.table.trace() == round(summary.pooled.accuracy.value * FACES)
    assert summary.mean is not None
    assert summary.mean.accuracy.low < summary.mean.accuracy.value < summary.mean.accuracy.high
    assert summary.with_mirror is not None
    assert summary.with_mirror.pooled.accuracy.value > 0.5
    assert [fold.test for fold in summary.folds] == [FACES // 2, FACES // 2]
    assert summary.plan.experiment.model.classes == 7


def test_a_finished_fold_keeps_its_answers_and_no_weights(learned: Path) -> None:
    result = read_result(learned / "fold-0")
    assert result is not None
    assert np.array(result.probabilities).shape == (FACES // 2, 7)
    assert np.allclose(np.sum(result.probabilities, axis=1), 1, atol=1e-4)
    assert result.with_mirror is not None
    both = np.array(result.with_mirror)
    assert both.shape == (FACES // 2, 7)
    assert not np.allclose(both, result.probabilities), "faces are not symmetric"
    assert np.all(both >= np.array(result.probabilities) / 2 - 1e-6), "half of the mean is the plain answer"
    assert not list((learned / "fold-0").glob("*.safetensors"))
    assert not (learned / "fold-0" / "checkpoint.pt").exists()
    history = [json.loads(line) for line in (learned / "fold-0/history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in history] == list(range(1, 15))
    right = np.array(result.predicted()) == _labels(learned)[list(result.test)]
    assert history[-1]["accuracy"] == pytest.approx(right.mean()), "the last epoch counts, not the best"


def _labels(folder: Path) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.repeat(np.arange(7), FACES // 7)  # sorted by class and name


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A short run that nothing broke, one fold after the other."""
    folder = tmp_path_factory.mktemp("whole")
    assert main(command(write_config(folder, epochs=4), data, folder / "run")) == 0
    return folder / "run"


def test_finished_folds_are_read_back(whole: Path, data: Path) -> None:
    before, files = read_summary(whole), [whole / name / RESULT for name in ("fold-0", "fold-1")]
    written = [file.stat().st_mtime_ns for file in files]
    assert main(command(whole.parent / "tiny.toml", data, whole)) == 0
    assert [file.stat().st_mtime_ns for file in files] == written
    assert read_summary(whole).folds == before.folds


def scores(summary: Summary) -> object:
    """All numbers that time does not change."""
    return [(fold.scores, fold.share) for fold in summary.folds], summary.confusion, summary.calibration


@pytest.mark.slow
def test_a_killed_run_takes_its_folds_along_and_goes_on(tmp_path: Path, data: Path, whole: Path) -> None:
    config = write_config(tmp_path, epochs=4)
    arguments = command(config, data, tmp_path / "killed", "--jobs", "2")
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_training", *arguments],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: len(list((tmp_path / "killed").glob("fold-*/checkpoint.pt"))) == 2, "checkpoints")
    process.kill()
    process.wait()
    wait_for(lambda: not group_lives(process.pid), "the folds to end with their parent")
    left = [len(path.read_text().splitlines()) for path in (tmp_path / "killed").glob("fold-*/history.jsonl")]
    assert min(left) < 4, "killed in the middle"
    assert main(arguments) == 0
    assert scores(read_summary(tmp_path / "killed")) == scores(read_summary(whole))
    assert len((tmp_path / "killed/fold-0/history.jsonl").read_text().splitlines()) == 4
    assert (tmp_path / "killed/fold-1/log.txt").stat().st_size > 0, "folds side by side do not talk at once"


def wait_for(condition: object, what: str, within_s: float = 120) -> None:
    assert callable(condition)
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"waited {within_s} s for {what}"
        time.sleep(0.05)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    "change", [["--seed", "1"], ["--fusion", "half"], ["--token-stride", "8"], ["--count", "3"]]
)
def test_a_folder_is_of_one_plan(
    learned: Path, data: Path, change: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    config = learned.parent / "tiny.toml"
    assert main(command(config, data, learned, *change)) == 1
    assert "give another `--run` folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--fusion", "vit-patches"], "`image_size` 36 is no multiple of `patch_px` 8"),
        (["--count", "9"], "8 people cannot make 9 folds"),
        (["--device", "nonsense"], "--device nonsense"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, data: Path, change: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path)
    config.write_text(config.read_text().replace("image_size = 32", "image_size = 36"), encoding="utf-8")
    assert main(command(config, data, tmp_path / "run", *change)) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("run/fold-*"))


@pytest.mark.parametrize("fusion", ["mobilenet", "vit-patches"])
def test_a_part_alone_from_weights(
    tmp_path: Path, data: Path, fusion: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old = HybridConfig(
        image_size=48, width=0.25, classes=8, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16, patch_px=8
    )
    save_weights(Hybrid(old), tmp_path / "old.safetensors")
    config = write_config(tmp_path, epochs=1)
    started = [*command(config, data, tmp_path / "run", "--fusion", fusion), "--keep-weights"]
    assert main([*started, "--weights", str(tmp_path / "old.safetensors")]) == 0
    plan = read_summary(tmp_path / "run").plan
    assert plan.weights is not None
    assert plan.weights.startswith("old.safetensors, SHA-256 ")
    assert set(plan.fresh) == ({"vit.embed.weight"} if fusion == "vit-patches" else set())
    assert ("fresh parameters: vit.embed.weight" in capsys.readouterr().err) == (fusion == "vit-patches")
    assert (tmp_path / "run/fold-1/last.safetensors").is_file()
    assert {fold.share for fold in read_summary(tmp_path / "run").folds} == {
        1.0 if fusion == "mobilenet" else 0.0
    }
