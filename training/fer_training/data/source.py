"""Files of a data set, from a folder or a zip file alike."""

import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from fer_training.errors import DataError


class Source:
    """Reads files by their path below the root; one top folder that all files share does not count."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None, names: dict[str, str]) -> None:
        self.path = path
        self._archive = archive
        self._names = names  # path below the root -> path in the folder or archive

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a folder or a zip file.

        Raises:
            DataError: nothing there, or a file that is no zip.
        """
        if path.is_dir():
            names = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
            return cls(path, None, _below_root(names))
        if not path.exists():
            raise DataError(f"`{path}` does not exist; expected the data set as a folder or a zip file")
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise DataError(f"`{path}` is neither a folder nor a readable zip file") from error
        return cls(
            path, archive, _below_root([name for name in archive.namelist() if not name.endswith("/")])
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All files, as paths below the root, sorted."""
        return tuple(sorted(self._names))

    @property
    def top(self) -> str:
        """The folder that all files share and that does not count; empty where there is none."""
        name, whole = next(iter(self._names.items()), ("", ""))
        return whole.removesuffix(name).rstrip("/")

    def line(self, name: str, number: int) -> str:
        """How errors name a line of a file."""
        return f"`{name}` in `{self.path}`, line {number}"

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def find(self, file: str) -> str:
        """The path of the one file of this name, in whatever folder.

        Raises:
            DataError: there is none, or more than one.
        """
        found = [name for name in self.names if name.rsplit("/", 1)[-1] == file]
        if len(found) != 1:
            fault = f"stands {len(found)} times" if found else "is missing"
            raise DataError(f"`{file}` {fault} in `{self.path}`; expected it once")
        return found[0]

    def read(self, name: str) -> bytes:
        """The bytes of one file.

        Raises:
            DataError: the file is not there or cannot be read.
        """
        if name not in self._names:
            raise DataError(f"`{name}` is missing in `{self.path}`")
        try:
            if self._archive is not None:
                return self._archive.read(self._names[name])
            return (self.path / self._names[name]).read_bytes()
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"`{name}` in `{self.path}` cannot be read: {error}") from error

    def text(self, name: str) -> str:
        """One file as UTF-8 text.

        Raises:
            DataError: it is not there, cannot be read or is no text.
        """
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"`{name}` in `{self.path}` is no UTF-8 text") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._archive is not None:
            self._archive.close()


def _below_root(names: list[str]) -> dict[str, str]:
    """Map paths without the top folder that all files share, if there is one."""
    names = [name for name in names if not name.startswith("__MACOSX/")]
    tops = {name.split("/", 1)[0] for name in names}
    if len(tops) == 1 and all("/" in name for name in names):
        return {name.split("/", 1)[1]: name for name in names}
    return {name: name for name in names}
