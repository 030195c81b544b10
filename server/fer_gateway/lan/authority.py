"""The gateway's own certificate authority, which can vouch for nothing but the local network.

Whoever trusts an authority trusts every certificate that it signs. This one is name-constrained: browsers
refuse what it says about any public name or address, should its key ever be stolen. Needs `cryptography`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from fer_gateway.errors import DamagedFile, InvalidCertificate
from fer_gateway.lan.addresses import LOOPBACK, PRIVATE
from fer_gateway.lan.private_files import locked, read_private, write_private

LOCAL_DOMAINS = ("local", "localhost", "lan", "home.arpa", "internal")
"""Names that no public authority may vouch for, or that mean nothing outside a local network."""
NETWORKS: tuple[IPv4Network | IPv6Network, ...] = (*PRIVATE, *LOOPBACK)

AUTHORITY_FILE = "authority.pem"
LIFETIME = timedelta(days=3650)
GRACE = timedelta(days=1)
"""For clocks of devices that are slow."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        """Both, as one private file holds them."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM)

    @classmethod
    def parse(cls, path: Path, content: bytes) -> Self:
        """What `pem` has made.

        Raises:
            DamagedFile: anything else, or a key that is not the certificate's.
        """
        try:
            certificate = x509.load_pem_x509_certificate(content)
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError) as exc:
            raise DamagedFile(_damaged(path, "holds no key and certificate")) from exc
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise DamagedFile(_damaged(path, "holds a key of another certificate"))
        return cls(certificate, key)


class Authority:
    """Signs the certificate that the gateway shows; devices trust it once, and all that follow."""

    def __init__(self, pair: KeyPair) -> None:
        self._pair = pair

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The authority in a folder, made if there is none.

        Raises:
            InsecureFile, DamagedFile, CannotWrite: its file cannot be relied on, or not be written.
            InvalidCertificate: it has expired.
        """
        path = folder / AUTHORITY_FILE
        with locked(path):
            try:
                content = read_private(path)
            except FileNotFoundError:
                pair = _make()
                write_private(path, pair.pem())
                return cls(pair)
        return cls(_checked(path, KeyPair.parse(path, content)))

    @property
    def pem(self) -> bytes:
        """The certificate alone, as devices take it."""
        return self._pair.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as devices show it: `AB:CD:...`."""
        return hashlib.sha256(self._pair.certificate.public_bytes(Encoding.DER)).digest().hex(":").upper()

    @property
    def name(self) -> str:
        """What devices list it as."""
        return str(self._pair.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    def sign(self, request: x509.CertificateBuilder) -> x509.Certificate:
        """A certificate of which all but the issuer is decided."""
        own = self._pair.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return (
            request.issuer_name(self._pair.certificate.subject)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False
            )
            .sign(self._pair.key, hashes.SHA256())
        )

    def has_signed(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate comes from this authority, and not from one before it."""
        try:
            certificate.verify_directly_issued_by(self._pair.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def new_key() -> ec.EllipticCurvePrivateKey:
    """P-256: every device knows it."""
    return ec.generate_private_key(ec.SECP256R1())


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What a key is for: signing certificates, or only the greetings of a server."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make() -> KeyPair:
    """A new authority; its name says when it was made, so that an old one can be told from it."""
    key, now = new_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"fer-gateway local network {now:%Y-%m-%d}")])
    constraints = x509.NameConstraints(
        permitted_subtrees=[
            *(x509.DNSName(domain) for domain in LOCAL_DOMAINS),
            *(x509.IPAddress(network) for network in NETWORKS),
        ],
        excluded_subtrees=None,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - GRACE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(constraints, critical=True)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(certificate, key)


def _checked(path: Path, pair: KeyPair) -> KeyPair:
    try:
        is_authority = pair.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        is_limited = pair.certificate.extensions.get_extension_for_class(x509.NameConstraints).critical
    except (x509.ExtensionNotFound, ValueError) as exc:
        raise DamagedFile(_damaged(path, "holds no authority of the gateway")) from exc
    if not (is_authority and is_limited):
        raise DamagedFile(_damaged(path, "holds no authority of the gateway"))
    if pair.certificate.not_valid_after_utc <= datetime.now(UTC):
        raise InvalidCertificate(
            f"The authority `{path}` has expired; delete the file, and let every device trust the new one."
        )
    return pair


def _damaged(path: Path, why: str) -> str:
    return f"`{path}` {why}; put back a copy of it, or delete it and let every device trust the new one."
