"""The local network while the gateway serves it: a certificate and a name that follow its addresses."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fer_gateway.errors import ExtraMissing, GatewayError
from fer_gateway.lan.addresses import FindAddresses, find_addresses, reachable
from fer_gateway.lan.discovery import Announcement
from fer_gateway.lan.repeating import repeating
from fer_gateway.lan.tls import Tls
from fer_gateway.settings import Settings

if TYPE_CHECKING:
    from fer_gateway.lan.authority import Authority

LOOK_EVERY_S = 15.0

log = logging.getLogger(__name__)


class LocalNetwork:
    """Looks every few seconds whether the addresses have changed: phones and laptops change networks."""

    def __init__(self, settings: Settings, find: FindAddresses = find_addresses) -> None:
        """Open the authority and the certificate of the gateway, or make them.

        Raises:
            ExtraMissing: `cryptography` is not installed.
            PrivateFileError, InvalidCertificate: files in `data_folder` cannot be relied on, or be written.
        """
        self._settings = settings
        self._find = find
        self.authority = open_authority(settings.data_folder)
        self.addresses = reachable(self._settings.host, self._find())
        self._file = self._leaf()
        self._shown = self._signature()
        self.tls = Tls(self._file)

    @contextmanager
    def kept(self, port: int, every_s: float = LOOK_EVERY_S) -> Iterator[None]:
        """Announce the name and keep looking, for the time of the block; HTTPS is served at `port`."""
        announcement = Announcement(self._settings.lan_name, port)
        announcement.announce(self.addresses)

        def look() -> None:
            before = self.addresses
            self.refresh()
            if self.addresses != before:
                announcement.announce(self.addresses)

        try:
            with repeating(look, every_s, "local network"):
                yield
        finally:
            announcement.close()

    def refresh(self) -> None:
        """Show a certificate for the addresses of now. What fails is logged and tried again the next time."""
        try:
            self.addresses, before = reachable(self._settings.host, self._find()), self.addresses
            self._file = self._leaf()
            if self._signature() != self._shown:
                self.tls.use(self._file)
                self._shown = self._signature()
            if self.addresses != before:
                told = ", ".join(map(str, self.addresses)) or "none"
                log.warning("the addresses in the local network have changed: %s", told)
        except (GatewayError, OSError) as error:
            log.error("the certificate cannot be renewed: %s", error)  # noqa: TRY400 - the message says it all

    def _leaf(self) -> Path:
        from fer_gateway.lan.leaf import leaf_file  # noqa: PLC0415 - needs `cryptography`

        settings = self._settings
        return leaf_file(settings.data_folder, self.authority, settings.lan_names, self.addresses)

    def _signature(self) -> tuple[int, int]:
        status = self._file.stat()
        return status.st_mtime_ns, status.st_ino


def open_authority(folder: Path) -> "Authority":
    """The authority in a folder, made if there is none; for its errors see `Authority.open`.

    Raises:
        ExtraMissing: `cryptography` is not installed.
    """
    try:
        from fer_gateway.lan.authority import Authority  # noqa: PLC0415 - not installed everywhere
    except ImportError as exc:
        raise ExtraMissing(
            "`--lan` needs the package `cryptography` for certificates: `pip install 'fer-gateway[lan]'`, "
            "on a phone `pkg install python-cryptography`."
        ) from exc
    return Authority.open(folder)
