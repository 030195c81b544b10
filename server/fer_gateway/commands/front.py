"""How others reach the gateway: its certificate, the page about trust, and what is printed about both."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass

import uvicorn

from fer_gateway.api.trust import served_beside, trust_app
from fer_gateway.commands.listeners import listening_socket
from fer_gateway.lan.devices import DEFAULT_SCOPES, DeviceFile
from fer_gateway.lan.network import LocalNetwork
from fer_gateway.lan.origins import address_remembered, gateway_origin, trust_origin
from fer_gateway.lan.own_certificate import OwnCertificate
from fer_gateway.lan.qr import qr_text
from fer_gateway.lan.tls import Tls
from fer_gateway.settings import LOOPBACK, Settings

NOTE_ON_PAIRING = "  Pair  `fer-gateway devices pair` prints a code for a device"


@dataclass(frozen=True, slots=True)
class Front:
    """What the gateway serves with, and where."""

    origin: str
    """`scheme://host:port` to open first."""
    tls: Tls | None = None
    notes: tuple[str, ...] = ()
    """Lines of the greeting."""
    pictures: tuple[str, ...] = ()
    """QR codes below it."""

    @property
    def curl_options(self) -> str:
        """What `curl` needs to be let in."""
        return "-H 'Authorization: Bearer TOKEN' " if self.notes else ""

    def secure(self, config: uvicorn.Config) -> None:
        """Make a server serve HTTPS, where there is a certificate."""
        if self.tls is not None:
            config.load()
            config.ssl = self.tls.context


def open_front(settings: Settings, port: int, stack: ExitStack) -> Front:
    """The front that `settings` ask for; `stack` ends what runs for it.

    Raises:
        CannotListen: the port of the page about trust is taken.
        ExtraMissing, PrivateFileError, InvalidCertificate: there is no certificate to serve with.
    """
    if settings.tls_cert is not None:
        own = OwnCertificate(settings.tls_cert, settings.tls_key)
        stack.enter_context(own.kept())
        return Front(gateway_origin(settings, port), own.tls, (NOTE_ON_PAIRING,))
    if settings.lan:
        return _local_network(settings, port, stack)
    notes: tuple[str, ...] = ()
    if settings.host not in LOOPBACK:
        notes = (
            "  Note  Every client needs a token: `fer-gateway devices add NAME`. Browsers give the camera",
            "        only to http://localhost and to HTTPS, and over HTTP others read along: better use",
            "        `--lan`, or a proxy with a certificate. Allow its name with `--allowed-host NAME`.",
        )
    return Front(gateway_origin(settings, port), notes=notes)


def _local_network(settings: Settings, port: int, stack: ExitStack) -> Front:
    network = LocalNetwork(settings)
    listener = stack.enter_context(listening_socket(settings.host, settings.trust_port, "--trust-port"))
    trust = trust_origin(settings, listener.getsockname()[1], network.addresses)
    app = trust_app(
        authority_pem=network.authority.pem,
        fingerprint=network.authority.fingerprint,
        authority_name=network.authority.name,
        https_port=port,
        hosts=settings.served_hosts,
    )
    stack.enter_context(served_beside(app, listener))
    stack.enter_context(network.kept(port))
    stack.enter_context(address_remembered(settings.data_folder, settings.host, port))
    origin = gateway_origin(settings, port, network.addresses)
    notes = [
        f"  Name  https://{settings.lan_name}.local:{port}",
        f"  Trust {trust}  open it once on every device; the certificate has the SHA-256",
        *(f"        {line}" for line in _halves(network.authority.fingerprint)),
    ]
    if not network.addresses:
        notes.append("  Note  This machine has no address in a local network now; once it has, it is served.")
    devices = DeviceFile(settings.devices_file)
    # A code is only for a terminal that somebody looks at, not for a log.
    if not sys.stdout.isatty() or any(not device.is_expired for device in devices.list()):
        return Front(origin, network.tls, (*notes, NOTE_ON_PAIRING))
    _, code = devices.open_pairing(DEFAULT_SCOPES, settings.token_days)
    notes.append(f"  Pair  {origin}/pair  with the code {code}, for one device within ten minutes")
    pictures = (
        ("  Scan to trust:", qr_text(trust)),
        ("  Then scan to pair:", qr_text(f"{origin}/pair#{code}")),
    )
    return Front(origin, network.tls, tuple(notes), tuple(f"{title}\n{qr}" for title, qr in pictures if qr))


def _halves(fingerprint: str) -> tuple[str, str]:
    middle = len(fingerprint) // 2
    return fingerprint[: middle + 1], fingerprint[middle + 1 :]
