"""`fer-gateway analyze`: what it takes, each format that it writes, copies, progress, and going on again."""

import csv
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fer_gateway.cli import main
from fer_gateway.commands.inputs import find_sources
from fer_gateway.contract import EMOTIONS
from fer_gateway.settings import Settings

CLIP_FPS = 10


@pytest.fixture(autouse=True)
def tiny_environment(monkeypatch: pytest.MonkeyPatch, tiny_model: Path, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FER_{name.upper()}", raising=False)
    monkeypatch.setenv("FER_MODEL", str(tiny_model))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def album(tmp_path: Path, astronaut: Path, grace_hopper: Path) -> Path:
    """Two photos, one of them deeper, a picture without a face, and what is no picture."""
    folder = tmp_path / "album"
    (folder / "old").mkdir(parents=True)
    shutil.copy(astronaut, folder / "astronaut.png")
    shutil.copy(grace_hopper, folder / "old" / "hopper.JPG")
    cv2.imwrite(str(folder / "empty.png"), np.full((64, 64), 128, np.uint8))
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def clip(tmp_path: Path, astronaut: Path) -> Path:
    """One second of a still face."""
    photo = cv2.resize(cv2.imread(str(astronaut)), (256, 256))  # type: ignore[arg-type]
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), CLIP_FPS, (256, 256))
    for _ in range(CLIP_FPS):
        writer.write(photo)
    writer.release()
    return path


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fer_gateway", "analyze", *arguments]


def names(arguments: Sequence[str]) -> list[str]:
    return [source.name for source in find_sources(arguments)]


def test_folders_patterns_and_files(album: Path) -> None:
    everything = ["album/astronaut.png", "album/empty.png", "album/old/hopper.JPG"]
    assert names(["album"]) == everything
    assert names(["album/**/*.[Jj][Pp][Gg]", "-", "album/notes.txt"]) == [
        everything[2],
        "-",
        "album/notes.txt",
    ]
    assert names(["album/*.png", "album/old"]) == everything
    assert [str(source.place) for source in find_sources(["album"])][2] == "old/hopper.JPG"
    (missing,) = find_sources(["album/*.webp"])
    assert missing.problem is not None


def test_a_folder_as_json_lines(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--format", "jsonl", "album"]) == 0
    out, err = capsys.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [len(answer["faces"]) for answer in answers] == [1, 0, 1]
    assert err == ""


def test_what_is_not_there_is_told_and_the_rest_goes_on(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "void").mkdir()
    assert main(["analyze", "album/void", "*.bmp", "missing.jpg", "album/astronaut.png"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("album/astronaut.png: 1 face")
    told = [line.split(": ")[0] for line in err.splitlines()]
    assert told == ["album/void", "*.bmp", "missing.jpg"]


def test_a_picture_from_standard_input(astronaut: Path) -> None:
    done = subprocess.run(
        command("--json", "-"), input=astronaut.read_bytes(), capture_output=True, check=True, timeout=120
    )
    answer = json.loads(done.stdout)
    assert (answer["path"], len(answer["faces"])) == ("-", 1)


def test_csv(album: Path, tmp_path: Path) -> None:
    (album / "damaged.png").write_bytes((album / "astronaut.png").read_bytes()[:5000])
    assert main(["analyze", "--format", "csv", "--out", "faces.csv", "album"]) == 1
    with (tmp_path / "faces.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [
        "album/astronaut.png", "album/damaged.png", "album/empty.png", "album/old/hopper.JPG"
    ]  # fmt: skip
    face, damaged, empty, _ = rows
    assert face["label"] in EMOTIONS
    assert sum(float(face[f"p_{label}"]) for label in EMOTIONS) == pytest.approx(1, abs=1e-4)
    assert (face["face"], face["width"], face["height"], face["error"]) == ("0", "512", "512", "")
    assert (damaged["error"], damaged["label"]) == ("damaged_image", "")
    assert (empty["width"], empty["face"], empty["label"], empty["error"]) == ("64", "", "", "")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("kind", ["csv", "jsonl", "table"])
def test_a_name_that_is_no_utf_8(
    astronaut: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """It is written with an escape, the pictures after it are analysed, and it is known again."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name in (b"a.png", b"b\xff.png", b"c.png"):
        shutil.copy(astronaut, folder / os.fsdecode(name))
    out = tmp_path / "out"
    where = ["--out", str(out)] if kind != "table" else []
    assert main(["analyze", str(folder), "--format", kind, *where]) == 0
    text = out.read_text("utf-8") if where else capsys.readouterr().out
    assert "b\\udcff.png" in text
    assert "c.png" in text
    if where:
        assert main(["analyze", str(folder), "--format", kind, *where, "--resume"]) == 0
        assert len(out.read_text("utf-8").splitlines()) == len(text.splitlines())


def test_a_video(clip: Path, tmp_path: Path) -> None:
    assert main(["analyze", "--json", "--out", "out.jsonl", "clip.mp4"]) == 0
    frames = lines_of(tmp_path / "out.jsonl")
    assert [frame["frame"] for frame in frames] == [0, 2, 4, 6, 8]
    assert [frame["time_s"] for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8], abs=0.02)
    assert {face["id"] for frame in frames for face in frame["faces"]} == {0}
    assert main(["analyze", "--json", "--fps", "0", "--out", "out.jsonl", "clip.mp4"]) == 0
    assert len(lines_of(tmp_path / "out.jsonl")) == CLIP_FPS


def test_a_video_as_a_table(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--fps", "1", "clip.mp4"]) == 0
    assert capsys.readouterr().out.startswith("clip.mp4 at 0.00 s: 1 face, 256 x 256 px, ")


def test_a_file_that_is_no_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fake.mp4").write_text("text")
    assert main(["analyze", "fake.mp4"]) == 1
    assert "fake.mp4: `fake.mp4` has no video" in capsys.readouterr().err


def test_annotated_copies(album: Path, clip: Path, tmp_path: Path) -> None:
    shutil.copy(album / "old" / "hopper.JPG", tmp_path / "hopper.JPG")
    paths = ["album", "hopper.JPG", "album/old/hopper.JPG", "clip.mp4"]
    assert main(["analyze", "--annotate", "copies", "--out", "x.txt", *paths]) == 0
    copies = tmp_path / "copies"
    found = {file.relative_to(copies).as_posix() for file in copies.rglob("*") if file.is_file()}
    assert found == {
        "astronaut.png", "empty.png", "old/hopper.jpg", "hopper.jpg", "hopper-2.jpg", "clip.mp4"
    }  # fmt: skip
    original = cv2.imread(str(album / "astronaut.png"))
    copy = cv2.imread(str(copies / "astronaut.png"))
    assert original is not None
    assert copy is not None
    assert copy.shape == original.shape
    changed = (copy != original).any(axis=2)
    assert 0.001 < changed.mean() < 0.1  # a box and a label
    film = cv2.VideoCapture(str(copies / "clip.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 5


def test_a_copy_never_replaces_its_picture(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (album / "astronaut.png").read_bytes()
    assert main(["analyze", "--annotate", "album", "album/astronaut.png"]) == 1
    assert "would replace it" in capsys.readouterr().err
    assert (album / "astronaut.png").read_bytes() == before


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize("lost_bytes", [0, 1, 40, 700])
def test_resume_gives_what_one_run_gives(
    album: Path, clip: Path, tmp_path: Path, kind: str, lost_bytes: int
) -> None:
    """However much of the end was lost, nothing is missing or twice in the end."""
    arguments = ["analyze", "--format", kind, "--out", "out", "album", "clip.mp4"]
    out = tmp_path / "out"
    assert main(arguments) == 0
    whole = steady(out.read_text(), kind)
    for size in (len(out.read_bytes()) - lost_bytes, len(out.read_bytes()) // 3):
        os.truncate(out, size)
        assert main([*arguments, "--resume"]) == 0
        assert steady(out.read_text(), kind) == whole


def steady(text: str, kind: str) -> list[Any]:
    """The lines without times."""
    if kind == "csv":
        return text.splitlines()
    return [
        {key: value for key, value in json.loads(line).items() if key != "timing"}
        for line in text.splitlines()
    ]


def test_resume_does_no_picture_twice(album: Path, tmp_path: Path) -> None:
    arguments = ["analyze", "--json", "--out", "out", "--resume", "album"]
    assert main(arguments) == 0
    out = tmp_path / "out"
    marked = out.read_text().replace('"tiny"', '"marked"')
    out.write_text(marked)
    shutil.copy(album / "empty.png", album / "zebra.png")
    assert main(arguments) == 0
    assert out.read_text().startswith(marked)
    assert len(lines_of(out)) == 4


@pytest.mark.parametrize(
    ("kind", "text"),
    [("jsonl", "notes\n"), ("jsonl", "[]\n"), ("csv", "a,b\n1,2\n"), ("jsonl", '{"path": 1}\n{"x": 2}\n')],
)
def test_resume_leaves_other_files_alone(
    album: Path, tmp_path: Path, kind: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text(text)
    assert main(["analyze", "--format", kind, "--out", "out", "--resume", "album"]) == 2
    assert "was not written by this command" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--resume", "--json", "x.png"], "`--resume` needs `--out FILE`"),
        (["--resume", "--out", "x", "x.png"], "`--resume` needs"),
        (["--fps", "many", "x.mp4"], "`many` for `--fps`"),
        (["--fps", "-1", "x.mp4"], "`-1` for `--fps`"),
    ],
)
def test_wrong_options(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", *arguments]) == 2
    assert said in capsys.readouterr().err


full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no `/dev/full` here")


@full_device
@pytest.mark.parametrize("arguments", ["--out /dev/full --json", "--format csv > /dev/full", "> /dev/full"])
def test_a_full_disk_is_one_line(astronaut: Path, arguments: str) -> None:
    line = f"{' '.join(command())} {astronaut} {arguments}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert "cannot be written: No space left on device" in said


@full_device
def test_no_room_for_a_copy(album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "astronaut.png").symlink_to("/dev/full")
    assert main(["analyze", "--annotate", "copies", "album/astronaut.png"]) == 1
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize(("out", "shown"), [("out", True), (None, False)])
def test_progress_is_for_terminals(album: Path, out: str | None, shown: bool) -> None:
    """A bar on stderr; none where the table itself goes to the same terminal."""
    master, slave = pty.openpty()
    arguments = ["--out", out] if out else []
    with subprocess.Popen(command(*arguments, "album"), stdout=slave, stderr=slave) as process:
        os.close(slave)
        said = b""
        while True:
            try:
                said += os.read(master, 4096)
            except OSError:  # the other side is closed
                break
    os.close(master)
    assert process.returncode == 0
    assert (b"/3 " in said) is shown


def test_no_progress_in_a_file(album: Path) -> None:
    done = subprocess.run(command("--out", "out", "album"), capture_output=True, check=True, timeout=120)
    assert (done.stdout, done.stderr) == (b"", b"")
