"""`analyze --engine ray`: what an actor answers; and a real Ray (`make cluster`) that loses an actor."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_gateway.commands.cluster import BatchScorer
from fer_gateway.commands.inputs import find_sources
from fer_gateway.commands.scoring import Recipe, Scorer, Task
from fer_gateway.options import DEFAULT_OPTIONS
from fer_gateway.settings import Settings

WITHIN_S = 300.0
PICTURES = 300

with_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None and not os.environ.get("RAY_REQUIRED"),
    reason="Ray is not installed; `make cluster` installs it and runs this",
)


def test_an_actor_answers_batches(tiny_model: Path, astronaut: Path, tmp_path: Path) -> None:
    """Row for row what the scorer says; a copy that cannot be written is a row too, not a crash of Ray."""
    shutil.copy(astronaut, tmp_path / "face.png")
    (tmp_path / "text.png").write_text("text")
    sources = find_sources([str(tmp_path), "nowhere.jpg", str(tmp_path / "face.png")])
    tasks = [Task(source) for source in sources[:-1]]
    tasks.append(Task(sources[-1], copy=tmp_path / "face.png"))
    recipe = Recipe(Settings(model=tiny_model), "csv", DEFAULT_OPTIONS, None)
    rows = BatchScorer(recipe, tasks)({"id": np.array([2, 0, 1, 3])})
    expected = [Scorer(recipe).score(tasks[number]) for number in (2, 0, 1)]
    assert rows["id"].tolist() == [2, 0, 1, 3]
    assert rows["text"].tolist() == [*(piece.text for piece in expected), ""]
    assert rows["failed"].tolist() == [True, False, True, True]
    assert [bool(refusal) for refusal in rows["refusal"]] == [False, False, False, True]
    assert "would replace it" in rows["refusal"][3]


def test_without_ray_it_says_what_to_do(astronaut: Path, tiny_model: Path) -> None:
    block = "import sys; sys.modules['ray'] = None; from fer_gateway.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", block, "analyze", "--model", str(tiny_model), "--engine", "ray"]
    done = subprocess.run(
        [*command, str(astronaut)], capture_output=True, text=True, check=False, timeout=WITHIN_S
    )
    assert done.returncode == 1
    assert "pip install 'fer-gateway[cluster]'" in done.stderr


@with_ray
@pytest.mark.slow
def test_a_killed_actor_costs_nothing_but_time(tmp_path: Path, tiny_model: Path, grace_hopper: Path) -> None:
    """Two actors of a Ray on this machine, one of them killed once answers have come."""
    album = tmp_path / "album"
    album.mkdir()
    for number in range(PICTURES):
        (album / f"{number:03}.jpg").symlink_to(grace_hopper)
    (album / "100.png").write_text("text")
    command = [sys.executable, "-m", "fer_gateway", "analyze", "--format", "csv", "--model", str(tiny_model)]
    one, many = tmp_path / "one.csv", tmp_path / "many.csv"
    assert subprocess.run([*command, "--out", one, album], check=False, timeout=WITHIN_S).returncode == 1
    ray = [*command, "--out", str(many), "--engine", "ray", "--jobs", "2", str(album)]
    with subprocess.Popen(ray, stderr=subprocess.PIPE) as process:
        killed: list[int] = []
        over = threading.Event()

        def hunt() -> None:
            while not killed and not over.wait(0.02):
                if many.exists() and many.read_bytes().count(b"\n") > 1:
                    for actor in actors_below(process.pid):
                        os.kill(actor, signal.SIGKILL)
                        killed.append(actor)
                        break

        hunter = threading.Thread(target=hunt)
        hunter.start()
        _, said = process.communicate(timeout=WITHIN_S)
        over.set()
        hunter.join()
    assert (process.returncode, len(killed)) == (1, 1), said.decode()
    assert many.read_bytes() == one.read_bytes()


def actors_below(pid: int) -> Iterator[int]:
    """The processes with actors that Ray started on behalf of this one."""
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        try:
            if b"ray::MapWorker" in Path(f"/proc/{child}/cmdline").read_bytes():
                yield child
            yield from actors_below(child)
        except OSError:  # it has just ended
            continue
