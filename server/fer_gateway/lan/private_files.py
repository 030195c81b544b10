"""Files that only their owner may read: checked when read, replaced as a whole when written."""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_gateway.errors import CannotWrite, DamagedFile, InsecureFile

OTHERS = stat.S_IRWXO
GROUP_WRITE = stat.S_IWGRP
GROUP = stat.S_IRWXG
MAX_BYTES = 4 * 1024 * 1024
"""Far above what any of these files needs."""


def read_private(path: Path, *, group_may_read: bool = False) -> bytes:
    """The content of a file that nobody else can get at.

    A group may read what is mounted into a container for it, where `group_may_read`.

    Raises:
        FileNotFoundError: there is none.
        InsecureFile: others may read or write it, or it belongs to somebody else.
        DamagedFile: it cannot be read, or is no file of this kind.
    """
    try:
        with path.open("rb") as file:
            _check(path, os.fstat(file.fileno()), group_may_read=group_may_read)
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise DamagedFile(f"`{path}` cannot be read: {exc.strerror}; put back a copy of it.") from exc
    if len(content) > MAX_BYTES:
        raise DamagedFile(f"`{path}` has more than `{MAX_BYTES}` bytes; move it away, it is not ours.")
    return content


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at one stroke, readable by its owner only; on failure the old one stays as it was.

    Raises:
        CannotWrite: the disk is full, or the folder cannot be written to.
    """
    temporary: str | None = None
    try:
        make_private_folder(path.parent)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as exc:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise CannotWrite(
            f"`{path}` cannot be written: {exc.strerror}; make room, or choose another folder by `FER_DATA`."
        ) from exc


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner may enter; one that exists stays as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from changing `path` for the time of the block; a file beside it is the lock.

    Raises:
        CannotWrite: the lock cannot be made.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        make_private_folder(path.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise CannotWrite(
            f"`{lock}` cannot be made: {exc.strerror}; choose another folder with `FER_DATA`."
        ) from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check(path: Path, status: os.stat_result, *, group_may_read: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise DamagedFile(f"`{path}` is no file; move it away.")
    forbidden = OTHERS | (GROUP_WRITE if group_may_read else GROUP)
    if status.st_mode & forbidden:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        closed = "o=,g-w" if group_may_read else "600"
        raise InsecureFile(
            f"Others can get at `{path}` (mode `{mode}`); close it with `chmod {closed} {path}`, or, if "
            "somebody may have used it, delete it and start afresh."
        )
    folder = path.parent.stat().st_mode
    if folder & stat.S_IWOTH and not folder & stat.S_ISVTX:
        raise InsecureFile(
            f"Everybody can replace what is in `{path.parent}`; close it with `chmod o-w {path.parent}`."
        )
    if status.st_uid not in (0, os.geteuid()):
        raise InsecureFile(
            f"`{path}` belongs to user `{status.st_uid}`, who can change it; give it to your own."
        )
