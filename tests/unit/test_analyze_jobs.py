"""`analyze --jobs`: the same record as one process writes, whatever happens to the processes."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_gateway.cli import main
from fer_gateway.commands.inputs import find_sources
from fer_gateway.commands.pool import ATTEMPTS, ScorerPool
from fer_gateway.commands.scoring import Piece, Recipe, Scorer, Task
from fer_gateway.options import DEFAULT_OPTIONS
from fer_gateway.settings import Settings

WITHIN_S = 120.0
COMMAND = (sys.executable, "-m", "fer_gateway", "analyze")

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are found in `/proc`")


@pytest.fixture(autouse=True)
def tiny_environment(monkeypatch: pytest.MonkeyPatch, tiny_model: Path, tmp_path: Path) -> None:
    monkeypatch.setenv("FER_MODEL", str(tiny_model))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def album(tmp_path: Path, astronaut: Path, grace_hopper: Path) -> Path:
    """Pictures that differ, among them one without a face, one that is cut off, and a video."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(6):
        shutil.copy(astronaut if number % 2 else grace_hopper, folder / f"{number}.jpg")
    cv2.imwrite(str(folder / "2.png"), np.full((64, 64), 128, np.uint8))
    (folder / "3.png").write_bytes(astronaut.read_bytes()[:5000])
    photo = cv2.resize(cv2.imread(str(astronaut)), (256, 256))  # type: ignore[arg-type]
    film = cv2.VideoWriter(str(folder / "4.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 5, (256, 256))
    for shift in range(3):
        film.write(np.roll(photo, 9 * shift, axis=1))
    film.release()
    return folder


def children_of(pid: int) -> set[int]:
    """The scorers among the processes that a process started; not the one that tracks semaphores."""
    found = set()
    for number in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        try:
            if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes():
                found.add(number)
        except OSError:  # it has just ended
            continue
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def killing(victims: Callable[[], set[int]], times: int) -> Iterator[list[int]]:
    """`kill -9` one of the `victims` after the other, `times` times, while the block runs."""
    killed: list[int] = []
    over = threading.Event()

    def hunt() -> None:
        while len(killed) < times and not over.wait(0.01):
            for victim in victims() - set(killed):
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)
                break

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield killed
    finally:
        over.set()
        hunter.join()


def test_the_same_record_and_copies_byte_for_byte(album: Path, tmp_path: Path, astronaut: Path) -> None:
    """A killed process costs nothing but time, and `--resume` finds what it knows."""

    def start(name: str, *more: str) -> "subprocess.Popen[bytes]":
        options = ["--format", "csv", "--out", f"{name}.csv", "--annotate", name, *more]
        with astronaut.open("rb") as picture:
            return subprocess.Popen([*COMMAND, *options, "-", "album", "nowhere.jpg"], stdin=picture)

    def told(name: str) -> bytes:
        return path.read_bytes() if (path := tmp_path / f"{name}.csv").exists() else b""

    with start("one") as one:
        assert one.wait(WITHIN_S) == 1
    with start("many", "--jobs", "2") as many:
        busy = lambda: children_of(many.pid) if told("many").count(b"\n") > 1 else set()  # noqa: E731
        with killing(busy, times=2) as killed:
            assert many.wait(WITHIN_S) == 1
    assert len(killed) == 2
    assert told("many") == told("one")
    copies = [sorted((tmp_path / name).rglob("*.*")) for name in ("one", "many")]
    assert [file.name for file in copies[0]] == [file.name for file in copies[1]]
    assert [file.read_bytes() for file in copies[0]] == [file.read_bytes() for file in copies[1]]
    os.truncate(tmp_path / "many.csv", len(told("one")) // 2)
    with start("many", "--jobs", "2", "--resume") as again:
        assert again.wait(WITHIN_S) == 1
    assert told("many") == told("one")


def test_what_kills_every_process_is_given_up_and_the_rest_goes_on(album: Path, tiny_model: Path) -> None:
    """As a picture would for which the memory does not suffice: whoever holds it is killed."""
    tasks = [Task(source) for source in find_sources(["album/0.jpg", "album/1.jpg", "album/2.png"])]
    recipe = Recipe(Settings(model=tiny_model), "csv", DEFAULT_OPTIONS, None)
    scorer = Scorer(recipe)
    expected = [scorer.score(task) for task in tasks]
    before = children_of(os.getpid())
    pool = ScorerPool(recipe, 1)
    with killing(lambda: children_of(os.getpid()) - before, times=ATTEMPTS):
        pieces: list[Piece] = list(pool.score(tasks, scorer))
    assert pieces[0].failed
    assert pieces[0].text.endswith(",analysis_crashed\n")
    assert pieces[1:] == expected[1:]
    assert children_of(os.getpid()) <= before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_the_one_that_started_them(how: int, album: Path, tmp_path: Path) -> None:
    for number in range(200):
        (album / f"more-{number}.jpg").symlink_to(album / "0.jpg")
    command = [*COMMAND, "--json", "--jobs", "2", "album"]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed,  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        workers = children_of(process.pid)
        process.send_signal(how)
        _, said = process.communicate(timeout=WITHIN_S)
    assert process.returncode == (-how if how == signal.SIGKILL else 130)
    assert b"Traceback" not in said
    assert workers
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


@pytest.mark.parametrize("text", ["many", "-1", "1.5", "2000"])
def test_wrong_numbers_of_jobs(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", f"--jobs={text}", "x.png"]) == 2
    assert f"`{text}` for `--jobs`" in capsys.readouterr().err
