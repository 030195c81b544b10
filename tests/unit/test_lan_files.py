"""Private files: whom they are closed to, and what a full disk leaves of them."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fer_gateway.errors import CannotWrite, DamagedFile, InsecureFile
from fer_gateway.lan.private_files import MAX_BYTES, locked, read_private, write_private


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "file"
    write_private(path, b"old")
    return path


def test_only_the_owner_can_read(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert read_private(file) == b"old"


@pytest.mark.parametrize(
    ("mode", "alone", "group"),
    [
        (0o400, True, True),
        (0o600, True, True),
        (0o700, True, True),
        (0o640, False, True),
        (0o440, False, True),
        (0o660, False, False),
        (0o604, False, False),
        (0o602, False, False),
        (0o644, False, False),
        (0o601, False, False),
    ],
)
def test_modes(file: Path, mode: int, alone: bool, group: bool) -> None:
    """Whether a file is read with this mode: a key of ours, and one that is mounted for a group."""
    file.chmod(mode)
    for group_may_read, good in ((False, alone), (True, group)):
        if good:
            assert read_private(file, group_may_read=group_may_read) == b"old"
        else:
            with pytest.raises(InsecureFile, match="chmod"):
                read_private(file, group_may_read=group_may_read)


@pytest.mark.parametrize(("mode", "good"), [(0o700, True), (0o755, True), (0o1777, True), (0o777, False)])
def test_folders(file: Path, mode: int, good: bool) -> None:
    """In a folder that everybody may write to, everybody may put another file in the place of ours."""
    file.parent.chmod(mode)
    if good:
        assert read_private(file) == b"old"
    else:
        with pytest.raises(InsecureFile, match="Everybody can replace"):
            read_private(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_others(file: Path) -> None:
    os.chown(file, 12345, -1)
    with pytest.raises(InsecureFile, match="belongs to user `12345`"):
        read_private(file)


def test_what_is_no_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(DamagedFile):
        read_private(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "nothing")


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """It is opened for reading and writing by the test, so that reading it would wait for ever."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    descriptor = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        with pytest.raises(DamagedFile, match="is no file"):
            read_private(tmp_path / "pipe")
    finally:
        os.close(descriptor)


def test_a_huge_file(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(DamagedFile, match="more than"):
        read_private(file)


def test_a_folder_that_cannot_be_made(file: Path) -> None:
    with pytest.raises(CannotWrite, match="FER_DATA"):
        write_private(file / "below", b"new")
    with pytest.raises(CannotWrite), locked(file / "below"):
        pass


WRITE_TOO_MUCH = """
import sys
from pathlib import Path
from fer_gateway.errors import CannotWrite
from fer_gateway.lan.private_files import write_private
path = Path(sys.argv[1]) / "devices.json"
write_private(path, b"old")
try:
    write_private(path, b"x" * 1_000_000)
except CannotWrite as error:
    print(error)
print(path.read_bytes(), sorted(found.name for found in path.parent.iterdir()))
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """A file system of 64 kB, mounted where nobody else sees it."""
    mount = 'mount -t tmpfs -o size=64k,mode=700 tmpfs "$0" && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path)]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    command += [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    error, kept = done.stdout.splitlines()
    assert "No space left on device" in error
    assert "make room" in error
    assert kept == "b'old' ['devices.json']"


def test_changes_wait_for_each_other(file: Path) -> None:
    order: list[str] = []
    held = threading.Event()

    def second() -> None:
        held.wait(30)
        with locked(file):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(file):
        held.set()
        thread.join(0.2)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
