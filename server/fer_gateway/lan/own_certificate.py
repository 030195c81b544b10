"""A certificate that the operator has brought, and renews while the gateway serves."""

import logging
from contextlib import AbstractContextManager
from pathlib import Path

from fer_gateway.errors import GatewayError, InvalidCertificate
from fer_gateway.lan.private_files import read_private
from fer_gateway.lan.repeating import repeating
from fer_gateway.lan.tls import Tls

LOOK_EVERY_S = 15.0

log = logging.getLogger(__name__)


class OwnCertificate:
    """PEM files whose newest usable content is shown to new connections."""

    def __init__(self, certificate: Path, key: Path | None = None) -> None:
        """Begin with these files; one file may hold both.

        Raises:
            InsecureFile: others can read the key.
            InvalidCertificate: the files are missing or cannot be used.
        """
        self._certificate, self._key = certificate.expanduser(), key and key.expanduser()
        self._look_at_key()
        self._seen = self._signature()
        self.tls = Tls(self._certificate, self._key)

    def kept(self, every_s: float = LOOK_EVERY_S) -> AbstractContextManager[None]:
        """Keep looking whether the files have changed, for the time of the block."""
        return repeating(self.refresh, every_s, "own certificate")

    def refresh(self) -> None:
        """Show what the files hold now. What cannot be used is logged once, and the old certificate stays."""
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._look_at_key()
            self.tls.use(self._certificate, self._key)
        except (GatewayError, OSError) as error:
            log.error("the new certificate cannot be used: %s", error)  # noqa: TRY400 - the message says it all
        else:
            log.warning("new connections are shown the new certificate in `%s`", self._certificate)

    def _look_at_key(self) -> None:
        secret = self._key or self._certificate
        try:
            read_private(secret, group_may_read=True)
        except FileNotFoundError as exc:
            raise InvalidCertificate(f"There is no file `{secret}` to serve HTTPS with.") from exc

    def _signature(self) -> tuple[tuple[int, int, int, int] | None, ...]:
        return tuple(map(_state, filter(None, (self._certificate, self._key))))


def _state(file: Path) -> tuple[int, int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size, status.st_mode
