"""HTTPS: the certificate that new connections are shown, which can change while the gateway serves."""

import ssl
from pathlib import Path

from fer_gateway.errors import InvalidCertificate


class Tls:
    """What uvicorn serves with: a `context` whose certificate `use` replaces for new connections."""

    def __init__(self, certificate: Path, key: Path | None = None) -> None:
        """Begin with these PEM files; one file may hold both.

        Raises:
            InvalidCertificate: they are missing, damaged, encrypted or not of each other.
        """
        self.context = self._current = load(certificate, key)
        self.context.sni_callback = self._choose

    def use(self, certificate: Path, key: Path | None = None) -> None:
        """Show this certificate from now on; connections that are open keep the one they began with.

        Raises:
            InvalidCertificate: as above; then the old one stays.
        """
        self._current = load(certificate, key)

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _: str | None, __: ssl.SSLContext) -> None:
        """Called in every handshake, whether a name was sent or not."""
        connection.context = self._current


def load(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """A context of a server with TLS 1.2 or newer.

    Raises:
        InvalidCertificate: the files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    where = f"`{certificate}`" + (f" with the key `{key}`" if key else "")

    def no_password() -> str:
        raise InvalidCertificate(
            f"The key of {where} is encrypted; give one without a password, in a file for the gateway only."
        )

    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except ssl.SSLError as exc:
        reason = (exc.reason or str(exc)).replace("_", " ").lower()
        raise InvalidCertificate(
            f"HTTPS cannot be served with {where}: {reason}. Both are PEM files."
        ) from exc
    except OSError as exc:
        raise InvalidCertificate(f"HTTPS cannot be served with {where}: {exc.strerror}.") from exc
    return context
