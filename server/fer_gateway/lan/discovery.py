"""The gateway's name in the local network: mDNS, where `zeroconf` is there to announce it."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fer_gateway import __version__
from fer_gateway.errors import ExtraMissing
from fer_gateway.lan.addresses import IPAddress
from fer_gateway.lan.extras import extra

SERVICE_TYPE = "_fer-gateway._tcp.local."

log = logging.getLogger(__name__)


class Announcement:
    """Tells the local network `NAME.local` and the service, until it is closed."""

    def __init__(self, name: str, port: int, interfaces: Sequence[str] | None = None) -> None:
        """Prepare.

        Args:
            name: the host's name without `.local`.
            port: where HTTPS is served.
            interfaces: addresses of this machine to announce on; without it, all.
        """
        self._name = name
        self._port = port
        self._interfaces = interfaces
        self._zeroconf: Any = None
        self._errors: tuple[type[Exception], ...] = (OSError,)
        self._service: Any = None

    def announce(self, addresses: Sequence[IPAddress]) -> bool:
        """Announce these addresses in place of those of before; whether that worked.

        A network without multicast costs the name, not the gateway: its addresses work as well.
        """
        try:
            zeroconf = extra("zeroconf", "The name in the local network")
        except ExtraMissing as missing:
            log.info("%s", missing)
            return False
        self._errors = (OSError, zeroconf.Error)
        self.close()
        service = zeroconf.ServiceInfo(
            SERVICE_TYPE,
            f"{self._name}.{SERVICE_TYPE}",
            port=self._port,
            addresses=[address.packed for address in addresses],
            server=f"{self._name}.local.",
            properties={"version": __version__, "path": "/", "tls": "1"},
        )
        try:
            chosen = {} if self._interfaces is None else {"interfaces": list(self._interfaces)}
            self._zeroconf = zeroconf.Zeroconf(**chosen)
            self._zeroconf.register_service(service, allow_name_change=True)
            self._service = service
        except self._errors as error:
            reason = str(error) or type(error).__name__
            log.warning("`%s.local` cannot be announced (%s); use an address instead.", self._name, reason)
            self.close()
            return False
        return True

    def close(self) -> None:
        """Take the name back."""
        if self._zeroconf is None:
            return
        with suppress(*self._errors):  # the network may be gone
            if self._service is not None:
                self._zeroconf.unregister_service(self._service)
            self._zeroconf.close()
        self._zeroconf = self._service = None
