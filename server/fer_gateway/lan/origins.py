"""The addresses that browsers open."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address
from pathlib import Path

from fer_gateway.lan.addresses import IPAddress
from fer_gateway.lan.private_files import write_private
from fer_gateway.settings import LOOPBACK, WILDCARDS, Settings

SERVED_FILE = "lan-address"


def gateway_origin(settings: Settings, port: int, addresses: tuple[IPAddress, ...] = ()) -> str:
    """`scheme://host:port` of the gateway: for other devices where `addresses` has one, else for this one.

    An address comes before the name: not every phone asks mDNS.
    """
    scheme = "https" if settings.lan or settings.tls_cert else "http"
    return f"{scheme}://{_host(settings, addresses)}:{port}"


def trust_origin(settings: Settings, port: int, addresses: tuple[IPAddress, ...]) -> str:
    """`http://host:port` of the page about trust."""
    return f"http://{_host(settings, addresses)}:{port}"


def _host(settings: Settings, addresses: tuple[IPAddress, ...]) -> str:
    if addresses:
        return f"[{addresses[0]}]" if isinstance(addresses[0], IPv6Address) else str(addresses[0])
    if settings.host in (*LOOPBACK, *WILDCARDS):
        return "localhost"
    return f"[{settings.host}]" if ":" in settings.host else settings.host


@contextmanager
def address_remembered(folder: Path, host: str, port: int) -> Iterator[None]:
    """Tell `devices pair` where a gateway with `--lan` listens, whose options it does not know.

    Raises:
        CannotWrite: the folder cannot be written to.
    """
    path = folder / SERVED_FILE
    write_private(path, f"{host} {port}\n".encode())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def remembered_address(folder: Path) -> tuple[str, int] | None:
    """Host and port of the gateway with `--lan` that serves; none where there is none."""
    try:
        host, port = (folder / SERVED_FILE).read_text("ascii").split()
        return (host, int(port)) if 0 < int(port) < 65536 else None
    except (OSError, ValueError):
        return None
