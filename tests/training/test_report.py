"""Reports: one page that asks for nothing, figures as files, tables with the right numbers."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from fer_training.cli import main
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.run_folder import EXPERIMENT, HISTORY
from fer_training.network.model import HybridConfig
from fer_training.protocols.crossvalidation import make_plan
from fer_training.protocols.faces import ProtocolFaces, load_plain_faces
from fer_training.protocols.fold import RESULT, FoldResult
from fer_training.protocols.splits import Protocol, make_folds
from fer_training.protocols.summary import read_summary, summarise, write_summary
from fer_training.protocols.tables import class_table, confusion_table, cost_table, protocol_table

from .ckplus import FRAMES, SUBJECTS, write_ckplus

FIGURES = ("accuracy", "loss", "share", "confusion", "reliability")
CONFIG = ExperimentConfig(
    name="made-up",
    epochs=3,
    model=HybridConfig(
        image_size=32, width=0.25, classes=7, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16
    ),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, astronaut: Path, grace_hopper: Path) -> Path:
    return write_ckplus(tmp_path_factory.mktemp("ckplus") / "ckdatas.zip", [astronaut, grace_hopper])


def write_history(folder: Path, *, train_accuracy: bool = True) -> None:
    lines = []
    for epoch in (1, 2, 3):
        line = {"epoch": epoch, "loss": 2.0 / epoch, "validation_loss": 2.2 / epoch, "accuracy": 0.3 * epoch}
        line |= {"share": 0.5} | ({"train_accuracy": 0.2 * epoch} if train_accuracy else {})
        lines.append(json.dumps(line))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HISTORY).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_run(folder: Path, data: Path, protocol: Protocol, wrong: int, *, mirror: bool = False) -> Path:
    """A finished run without training: of each fold, `wrong` faces are answered as the next class.

    With `mirror`, the mean with the mirror image is always right; else the run is of before it was kept.
    """
    plain = load_plain_faces(data)
    numbers = [name.split("/")[-1].split("_") for name in plain.names]
    subjects = np.array([int(subject[1:]) for subject, _, _ in numbers])
    sequences = subjects * 1000 + np.array([int(sequence) for _, sequence, _ in numbers])
    faces = ProtocolFaces(plain, plain.frames, subjects, sequences)
    folds = make_folds(protocol, subjects, plain.labels, 2)
    results = {}
    for fold in folds:
        answers = plain.labels[fold.test].copy()
        answers[:wrong] = (answers[:wrong] + 1) % 7
        probabilities = np.full((len(fold.test), 7), 0.02)
        probabilities[np.arange(len(fold.test)), answers] = 0.88
        results[fold.name] = FoldResult(
            name=fold.name,
            train=len(fold.train),
            test=tuple(fold.test.tolist()),
            probabilities=tuple(map(tuple, probabilities.tolist())),
            with_mirror=tuple(map(tuple, np.eye(7)[plain.labels[fold.test]].tolist())) if mirror else None,
            share=0.6,
            seconds=90.0,
        )
        write_history(folder / fold.name)
        (folder / fold.name / RESULT).write_text(results[fold.name].model_dump_json(), encoding="utf-8")
    write_summary(folder, summarise(make_plan(CONFIG, faces, protocol, count=2), faces, folds, results, 1.5))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, data: Path) -> tuple[Path, Path]:
    """A leaky run and a clean one."""
    folder = tmp_path_factory.mktemp("runs")
    return write_run(folder / "leaky", data, "random", 0), write_run(folder / "clean", data, "subjects", 5)


class Page(HTMLParser):
    """Tags, what they point to, and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags, self.addresses, self.text = list[str](), list[str](), ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "xlink:href"):
                self.addresses.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_two_runs_side_by_side(
    tmp_path: Path, runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *map(str, runs), "--out", str(tmp_path)]) == 0
    page = Page(tmp_path / "report.html")
    assert page.text.count("LEAKY.") == 1
    assert page.text.count("Nobody is in training and test of the same fold.") == 1
    assert "img" not in page.tags, "no faces without `--data`"
    assert page.tags.count("svg") == 2 * len(FIGURES)
    for number in (1, 2):
        for name in FIGURES:
            assert (tmp_path / f"{number}-{name}.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "| the paper, as printed | not said; random images | 98.51 | 98.45 | 98.99 | 98.71 |" in printed
    assert "**LEAKY**: " in printed
    assert "| nothing |" in printed


def test_a_page_asks_for_nothing(tmp_path: Path, runs: tuple[Path, Path], data: Path) -> None:
    assert main(["report", str(runs[1]), "--out", str(tmp_path), "--data", str(data)]) == 0
    page = Page(tmp_path / "report.html")
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "url(http" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_faces_are_shown_with_a_warning(tmp_path: Path, runs: tuple[Path, Path], data: Path) -> None:
    assert main(["report", str(runs[1]), "--out", str(tmp_path), "--data", str(data)]) == 0
    page = Page(tmp_path / "report.html")
    assert page.tags.count("img") == 2 * 7 + 2 * 5, "two right ones a class, then the wrong ones"
    assert "keep it to yourself" in page.text
    assert page.text.count("88%\nis ") == 10
    assert (tmp_path / "samples.png").stat().st_size > 0


def test_faces_of_other_data_are_refused(
    tmp_path: Path, runs: tuple[Path, Path], grace_hopper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_ckplus(tmp_path / "other.zip", [grace_hopper])
    assert main(["report", str(runs[0]), "--out", str(tmp_path), "--data", str(other)]) == 1
    assert "holds other faces than `made-up, random 80/20" in capsys.readouterr().err


def test_numbers_of_the_tables(runs: tuple[Path, Path]) -> None:
    leaky, clean = map(read_summary, runs)
    faces = 7 * SUBJECTS * FRAMES
    right = 1 - 10 / faces
    rows = protocol_table([leaky, clean]).rows
    assert rows[1][2:6] == ("100.00 (100.0 .. 100.0)",) * 4
    assert rows[2][2].startswith(f"{100 * right:.2f} ")
    assert rows[2][8].startswith(f"{100 * right:.2f} (")
    assert clean.pooled.accuracy.low < right < clean.pooled.accuracy.high
    assert class_table(clean).rows[-1] == ("accuracy", "", "", f"{right:.4f}", str(faces))
    assert sum(int(cell) for row in confusion_table(clean).rows for cell in row[1:]) == faces
    assert len(rows) == 3, "neither was scored with the mirror image"
    (cost,) = cost_table([clean]).rows
    assert cost[1:3] == ("learned", "stride 16")
    assert cost[4:] == ("0.600 (0.600 .. 0.600)", "0.26 M", "0.7 M", "1.5 ms", "1.5 min")


def test_the_mean_with_the_mirror_image_stands_below_the_plain_answer(tmp_path: Path, data: Path) -> None:
    summary = read_summary(write_run(tmp_path, data, "subjects", 5, mirror=True))
    _, plain, both = protocol_table([summary]).rows
    assert both[:2] == ("the same, mean with the mirror image", "nothing")
    assert both[2:8] == ("100.00 (100.0 .. 100.0)",) * 6
    assert plain[2] != both[2], "the plain answer keeps its own scores"


@pytest.mark.parametrize("train_accuracy", [True, False])
def test_a_run_of_train_shows_its_curves(tmp_path: Path, *, train_accuracy: bool) -> None:
    write_history(tmp_path, train_accuracy=train_accuracy)
    (tmp_path / EXPERIMENT).write_text(CONFIG.model_dump_json(), encoding="utf-8")
    assert main(["report", str(tmp_path)]) == 0
    page = Page(tmp_path / "report" / "report.html")
    assert page.tags.count("svg") == 3
    assert page.text.count("training (random views)") == (2 if train_accuracy else 1), "older runs lack one"


def test_unfinished_runs_are_refused(
    tmp_path: Path, runs: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 1
    assert f"`{tmp_path / 'summary.json'}` does not exist" in capsys.readouterr().err
    run = write_run(tmp_path / "run", data, "subjects", 1)
    (run / "fold-1" / RESULT).unlink()
    assert main(["report", str(run)]) == 1
    assert "lacks results of its folds" in capsys.readouterr().err
    (run / "fold-1" / RESULT).write_text("{", encoding="utf-8")
    assert main(["report", str(run)]) == 1
    assert "remove it to train again" in capsys.readouterr().err
