"""The certificate that the gateway shows: for its name and its addresses of today. Needs `cryptography`."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fer_gateway.errors import DamagedFile
from fer_gateway.lan.addresses import IPAddress
from fer_gateway.lan.authority import GRACE, Authority, KeyPair, key_usage, new_key
from fer_gateway.lan.private_files import locked, read_private, write_private

LEAF_FILE = "gateway.pem"
LIFETIME = timedelta(days=396)
"""Phones take 397 days at most; the day of grace before is the last of them."""
RENEW_BEFORE = timedelta(days=30)
LOCAL_ADDRESSES: tuple[IPAddress, ...] = (
    ipaddress.IPv4Address("127.0.0.1"),
    ipaddress.IPv6Address("::1"),
)
MAX_ADDRESSES = 32


def leaf_file(
    folder: Path, authority: Authority, names: tuple[str, ...], addresses: tuple[IPAddress, ...]
) -> Path:
    """The file with key and certificate for these names and addresses, and for this machine itself.

    The one that is there is kept while it fits: signed by this authority, for the same names and addresses,
    and good for another month. Otherwise a new one takes its place, with a new key.

    Raises:
        InsecureFile, CannotWrite: the file cannot be relied on, or not be written.
    """
    path = folder / LEAF_FILE
    wanted = _subjects(names, addresses)
    with locked(path):
        if not _is_good(path, authority, wanted):
            write_private(path, _issue(authority, names[0], wanted).pem())
    return path


def _is_good(path: Path, authority: Authority, wanted: list[x509.GeneralName]) -> bool:
    try:
        certificate = KeyPair.parse(path, read_private(path)).certificate
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, DamagedFile, x509.ExtensionNotFound, ValueError):
        return False  # it is made again; nobody trusts it by itself
    return (
        list(names) == wanted
        and authority.has_signed(certificate)
        and certificate.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC)
    )


def _subjects(names: tuple[str, ...], addresses: tuple[IPAddress, ...]) -> list[x509.GeneralName]:
    """In an order that does not change when the system lists its addresses in another."""
    known = [*LOCAL_ADDRESSES, *sorted(set(addresses), key=lambda address: (address.version, int(address)))]
    return [
        *(x509.DNSName(name) for name in dict.fromkeys((*names, "localhost"))),
        *(x509.IPAddress(address) for address in known[:MAX_ADDRESSES]),
    ]


def _issue(authority: Authority, name: str, subjects: list[x509.GeneralName]) -> KeyPair:
    key, now = new_key(), datetime.now(UTC)
    request = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - GRACE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return KeyPair(authority.sign(request), key)
