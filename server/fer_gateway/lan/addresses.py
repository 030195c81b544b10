"""The addresses that other devices of the local network reach this machine by."""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
FindAddresses = Callable[[], tuple[IPAddress, ...]]

PRIVATE: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("100.64.0.0/10"),
    IPv6Network("fc00::/7"),
)
"""Where local networks live; 100.64.0.0/10 is shared by carriers and overlay networks."""
LOOPBACK: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
PROBES = ("192.168.0.1", "10.0.0.1", "172.16.0.1", "169.254.0.1", "100.64.0.1", "224.0.0.251", "fd00::1")
"""Where the way to an address is looked up, without a packet being sent."""
DISCARD_PORT = 9


def find_addresses() -> tuple[IPAddress, ...]:
    """The private addresses of this machine, the one on the usual way out first; none without a network."""
    found = [_way_to(probe) for probe in PROBES]
    return private_only(address for address in (*found, *_of_interfaces()) if address is not None)


def private_only(addresses: Iterable[IPAddress]) -> tuple[IPAddress, ...]:
    """Each address of a local network once, in their order."""
    return tuple(dict.fromkeys(address for address in addresses if is_private(address)))


def reachable(host: str, addresses: Iterable[IPAddress]) -> tuple[IPAddress, ...]:
    """Those of the addresses that a gateway answers on which listens on `host`."""
    try:
        listened = ipaddress.ip_address(host)
    except ValueError:  # a name, as `localhost`
        return ()
    if listened.is_unspecified:
        return tuple(address for address in addresses if listened.version == 6 or address.version == 4)
    return tuple(address for address in addresses if address == listened)


def is_private(address: IPAddress) -> bool:
    """Whether a local network may use this address, so that the authority may vouch for it."""
    return any(address in network for network in PRIVATE if network.version == address.version)


def is_loopback(address: str) -> bool:
    """Whether a client is on this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _way_to(probe: str) -> IPAddress | None:
    """The address that packets to `probe` would leave from."""
    family = socket.AF_INET6 if ":" in probe else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unused:
            unused.connect((probe, DISCARD_PORT))
            return ipaddress.ip_address(unused.getsockname()[0])
    except OSError:
        return None


def _of_interfaces() -> list[IPAddress]:
    """The addresses of every interface, where `ifaddr` is there to tell; it comes with `zeroconf`."""
    try:
        import ifaddr  # noqa: PLC0415 - not installed everywhere
    except ImportError:
        return []
    found = []
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            text = address.ip if isinstance(address.ip, str) else address.ip[0]
            found.append(ipaddress.ip_address(text))
    return found
