"""What a run says of itself: a line an epoch, a history, a bar for people, and scalars for TensorBoard."""

import builtins
import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_training.errors import ConfigError
from fer_training.learning.logbook import SCALARS, Logbook, duration

VALUES = {"loss": 1.5, "train_accuracy": 0.5, "validation_loss": 1.4, "accuracy": 0.6, "share": 0.52}


def test_a_line_an_epoch_with_what_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Logbook(tmp_path, 4, 1) as logbook:
        for epoch in (1, 2):
            with logbook.bar(epoch, 3) as bar:
                for step in range(3):
                    logbook.show(bar, torch.tensor([1.0, 0.5]), step)
            logbook.record(epoch, VALUES, 1e-3)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2, "no bar where the output is no terminal"
    assert said[0].startswith("epoch 2/4: loss 1.5000, training accuracy 0.5000, validation loss 1.4000, ")
    assert "accuracy 0.6000, a 0.520" in said[0]
    assert said[0].endswith("left")


def test_a_bar_shows_loss_accuracy_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Logbook(tmp_path, 4, 0) as logbook, logbook.bar(0, 2) as bar:
        for step in range(2):
            logbook.show(bar, torch.tensor([1.25, 0.5]), step)
        bar.refresh()
    assert "epoch 1/4" in terminal.getvalue()
    assert "loss 1.250, accuracy 0.500" in terminal.getvalue()
    assert "<" in terminal.getvalue(), "elapsed<left"


def test_the_others_are_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Logbook(tmp_path, 4, 0, talk=False) as logbook, logbook.bar(0, 1) as bar:
        logbook.show(bar, torch.tensor([1.0, 0.5]), 0)
    assert capsys.readouterr().err == ""


def test_a_repeated_epoch_stands_once(tmp_path: Path) -> None:
    old = {name: value for name, value in VALUES.items() if name != "train_accuracy"}
    (tmp_path / "history.jsonl").write_text("".join(json.dumps({"epoch": n, **old}) + "\n" for n in (1, 2)))
    with Logbook(tmp_path, 4, 1, talk=False) as logbook:
        logbook.record(1, VALUES, 1e-3)
        logbook.record(2, VALUES, 1e-3)
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert ["train_accuracy" in line for line in lines] == [False, True, True]


def test_scalars_for_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("torch.utils.tensorboard")
    with Logbook(tmp_path, 4, 0, talk=True, tensorboard=True) as logbook:
        logbook.record(0, VALUES, 1e-3)
    (file,) = (tmp_path / SCALARS).iterdir()
    found = b"".join(_records(file.read_bytes()))
    for name in (*VALUES, "learning_rate"):
        assert name.encode() in found


def _records(data: bytes) -> Iterator[bytes]:
    """The records of an event file: length (8 bytes), its check (4), the record, its check (4)."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield data[12 : 12 + length]
        data = data[16 + length :]


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def missing(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return original(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r'pip install "fer-gateway\[tensorboard\]"'):
        Logbook(tmp_path, 4, 0, tensorboard=True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "1 h 00 min"), (3900, "1 h 05 min")],
)
def test_durations_read_well(seconds: float, said: str) -> None:
    assert duration(seconds) == said
