"""Paired devices, and the one file that they and open pairing codes are kept in."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from fer_gateway.errors import DamagedFile, PairingRefused, TokenExpired, TokenInvalid, UnknownDevice
from fer_gateway.lan.private_files import locked, read_private, write_private
from fer_gateway.lan.tokens import digest, is_digest_of, new_code, new_token, plain_code

Scope = Literal["analyze", "stream", "admin"]
SCOPES: tuple[Scope, ...] = ("analyze", "stream", "admin")
"""What a token may be for: pictures, camera streams, and the gateway itself."""
DEFAULT_SCOPES: tuple[Scope, ...] = ("analyze", "stream")

CODE_LIFETIME = timedelta(minutes=10)
MAX_DEVICES = 1000
MAX_CODES = 16

Result = TypeVar("Result")
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Scopes = Annotated[tuple[Scope, ...], Field(min_length=1)]


def printable(name: str) -> str:
    """A name that does nothing to the terminal that lists it."""
    if not name.isprintable():
        raise ValueError("a name has no control characters")
    return name


Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(printable)]


class Device(BaseModel):
    """One device or program that has a token."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    name: Name
    scopes: Scopes
    created: AwareDatetime
    expires: AwareDatetime
    token_sha256: Digest

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires <= datetime.now(UTC)


class PairingCode(BaseModel):
    """A code that one device may exchange for a token."""

    model_config = ConfigDict(frozen=True)

    scopes: Scopes
    expires: AwareDatetime
    token_days: Annotated[int, Field(ge=1)]
    code_sha256: Digest


class Book(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    devices: Annotated[tuple[Device, ...], Field(max_length=MAX_DEVICES)] = ()
    codes: Annotated[tuple[PairingCode, ...], Field(max_length=MAX_CODES)] = ()


class DeviceFile:
    """The paired devices in a file, which several processes may share; read again whenever it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: tuple[tuple[int, ...] | None, Book] = (None, Book())
        """The book as it was read, and of which file: one value, for several threads replace it."""

    def list(self) -> tuple[Device, ...]:
        """Every device, those whose time is over too."""
        return self._read().devices

    def find(self, token: str) -> Device:
        """The device that a token was given to; looks at all of them, so that time tells nothing.

        Raises:
            TokenInvalid: none; never given out, or revoked.
            TokenExpired: its time is over.
            PrivateFileError: the file cannot be relied on.
        """
        wanted = digest(token)
        found = [device for device in self._read().devices if is_digest_of(device.token_sha256, wanted)]
        if not found:
            raise TokenInvalid("The gateway does not know this token, or it was revoked. Pair again.")
        if found[0].is_expired:
            raise TokenExpired(f"The token was good until {found[0].expires:%Y-%m-%d}. Pair again.")
        return found[0]

    def check(self, device: Device) -> None:
        """See that a device that was found earlier is still one.

        Raises:
            TokenInvalid: it was revoked.
            TokenExpired: its time is over.
            PrivateFileError: the file cannot be relied on.
        """
        if device not in self._read().devices:
            raise TokenInvalid("The token was revoked. Pair again.")
        if device.is_expired:
            raise TokenExpired(f"The token was good until {device.expires:%Y-%m-%d}. Pair again.")

    def add(self, name: str, scopes: tuple[Scope, ...], days: int) -> tuple[Device, str]:
        """A new device and its token, which is kept nowhere and cannot be told again.

        Raises:
            PrivateFileError: the file cannot be read or written.
        """
        return self._change(lambda book: _with_device(book, name, scopes, days))

    def open_pairing(self, scopes: tuple[Scope, ...], token_days: int) -> tuple[PairingCode, str]:
        """A new pairing code, as it is kept and as it is told.

        Raises:
            PrivateFileError: the file cannot be read or written.
        """
        code = new_code()
        kept = PairingCode(
            scopes=scopes,
            expires=datetime.now(UTC) + CODE_LIFETIME,
            token_days=token_days,
            code_sha256=digest(code),
        )

        def opened(book: Book) -> tuple[Book, PairingCode]:
            codes = (*_good_codes(book), kept)[-MAX_CODES:]
            return book.model_copy(update={"codes": codes}), kept

        return self._change(opened), code

    def pair(self, code: str, name: str) -> tuple[Device, str]:
        """Exchange a code, which is good for once, for a device and its token.

        Raises:
            PairingRefused: the code is wrong, used, or too old.
            PrivateFileError: the file cannot be read or written.
        """
        wanted = digest(plain_code(code))

        def paired(book: Book) -> tuple[Book, tuple[Device, str]]:
            codes = _good_codes(book)
            found = [kept for kept in codes if is_digest_of(kept.code_sha256, wanted)]
            if not found:
                raise PairingRefused(
                    "This code is wrong, used or too old. Get a new one with `fer-gateway devices pair`."
                )
            rest = tuple(kept for kept in codes if kept is not found[0])
            book = book.model_copy(update={"codes": rest})
            return _with_device(book, name, found[0].scopes, found[0].token_days)

        return self._change(paired)

    def revoke(self, device_id: str) -> Device:
        """Forget a device; its token is worth nothing from now on.

        Raises:
            UnknownDevice: there is none with this id.
            PrivateFileError: the file cannot be read or written.
        """

        def revoked(book: Book) -> tuple[Book, Device]:
            found = [device for device in book.devices if device.id == device_id]
            if not found:
                raise UnknownDevice(
                    f"No device has the id `{device_id}`; `fer-gateway devices list` shows them."
                )
            rest = tuple(device for device in book.devices if device is not found[0])
            return book.model_copy(update={"devices": rest}), found[0]

        return self._change(revoked)

    def _read(self) -> Book:
        """The file as it is now; no file is no devices."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return Book()
        except OSError as exc:
            raise DamagedFile(
                f"`{self._path}` cannot be read: {exc.strerror}. Repair it or its disk."
            ) from exc
        signature = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode, status.st_uid)
        read_of, book = self._last
        if signature != read_of:
            book = self._parse(read_private(self._path, group_may_read=True))
            self._last = signature, book
        return book

    def _parse(self, content: bytes) -> Book:
        try:
            return Book.model_validate_json(content)
        except ValidationError as exc:
            fault = exc.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, fault["loc"])) or "file"
            raise DamagedFile(
                f"`{self._path}` is damaged (`{place}`: {fault['msg']}); put back a copy of it, or delete it "
                "and pair all devices again."
            ) from exc

    def _change(self, change: Callable[[Book], tuple[Book, Result]]) -> Result:
        with locked(self._path):
            book, result = change(self._read())
            content = json.dumps(book.model_dump(mode="json"), indent=1)
            write_private(self._path, f"{content}\n".encode())
        return result


def _good_codes(book: Book) -> tuple[PairingCode, ...]:
    now = datetime.now(UTC)
    return tuple(code for code in book.codes if code.expires > now)


def _with_device(
    book: Book, name: str, scopes: tuple[Scope, ...], days: int
) -> tuple[Book, tuple[Device, str]]:
    if len(book.devices) >= MAX_DEVICES:
        raise PairingRefused(f"There are `{MAX_DEVICES}` devices already; revoke some.")
    token, now = new_token(), datetime.now(UTC)
    device = Device(
        id=secrets.token_hex(4),
        name=name,
        scopes=scopes,
        created=now,
        expires=now + timedelta(days=days),
        token_sha256=digest(token),
    )
    return Book(devices=(*book.devices, device), codes=book.codes), (device, token)
