"""The authority and its certificates, looked at by OpenSSL, as browsers would."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from fer_gateway.errors import DamagedFile, InsecureFile, InvalidCertificate
from fer_gateway.lan.addresses import IPAddress
from fer_gateway.lan.authority import Authority, KeyPair, key_usage, new_key
from fer_gateway.lan.leaf import leaf_file

NAMES = ("fer-gateway.local",)
HOME: tuple[IPAddress, ...] = (ip_address("192.168.1.20"), ip_address("fd00::20"))


def certificate_in(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def verdict(tmp_path: Path, authority: Authority, leaf: Path, *options: str) -> str:
    """What `openssl verify` says of a certificate for the name or address in `options`."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.pem)
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        str(trusted),
        *options,
        str(leaf),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return "ok" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("-verify_ip", "192.168.1.20"),
        ("-verify_ip", "fd00::20"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_ip", "::1"),
        ("-verify_hostname", "fer-gateway.local"),
        ("-verify_hostname", "localhost"),
    ],
)
def test_the_certificate_is_for_names_and_addresses(tmp_path: Path, options: tuple[str, ...]) -> None:
    authority = Authority.open(tmp_path)
    assert verdict(tmp_path, authority, leaf_file(tmp_path, authority, NAMES, HOME), *options) == "ok"


@pytest.mark.parametrize(
    "options",
    [("-verify_ip", "192.168.1.21"), ("-verify_hostname", "other.local"), ("-verify_ip", "8.8.8.8")],
)
def test_and_for_no_others(tmp_path: Path, options: tuple[str, ...]) -> None:
    authority = Authority.open(tmp_path)
    leaf = leaf_file(tmp_path, authority, NAMES, HOME)
    assert "mismatch" in verdict(tmp_path, authority, leaf, *options)


def signed_for(authority: Authority, subject: x509.GeneralName, path: Path) -> Path:
    """What somebody with the stolen key could sign."""
    key, now = new_key(), datetime.now(UTC)
    certificate = authority.sign(
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stolen")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        (x509.DNSName("bank.example"), False),
        (x509.DNSName("www.example.com"), False),
        (x509.DNSName("notlocal"), False),
        (x509.DNSName("other.local"), True),
        (x509.DNSName("printer.home.arpa"), True),
        (x509.IPAddress(ip_address("8.8.8.8")), False),
        (x509.IPAddress(ip_address("172.32.0.1")), False),
        (x509.IPAddress(ip_address("2001:db8::1")), False),
        (x509.IPAddress(ip_address("10.9.8.7")), True),
    ],
    ids=lambda value: str(getattr(value, "value", value)),
)
def test_the_authority_can_vouch_for_local_networks_only(
    tmp_path: Path, subject: x509.GeneralName, allowed: bool
) -> None:
    authority = Authority.open(tmp_path)
    said = verdict(tmp_path, authority, signed_for(authority, subject, tmp_path / "stolen.pem"))
    assert said == "ok" if allowed else "permitted subtree violation" in said


def test_it_signs_no_further_authorities(tmp_path: Path) -> None:
    trusted = x509.load_pem_x509_certificate(Authority.open(tmp_path).pem)
    assert trusted.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_days(tmp_path: Path) -> None:
    """Phones refuse 398 and more."""
    leaf = certificate_in(leaf_file(tmp_path, Authority.open(tmp_path), NAMES, HOME))
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)
    assert leaf.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=23)


def test_the_authority_stays_and_its_key_is_private(tmp_path: Path) -> None:
    first, second = Authority.open(tmp_path), Authority.open(tmp_path)
    assert first.fingerprint == second.fingerprint
    assert first.pem == second.pem
    assert b"PRIVATE" not in first.pem
    leaf_file(tmp_path, first, NAMES, HOME)
    for name in ("authority.pem", "gateway.pem"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_the_fingerprint_is_the_one_that_devices_show(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    command = ["openssl", "x509", "-in", str(tmp_path / "ca.crt"), "-noout", "-fingerprint", "-sha256"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.strip().endswith(authority.fingerprint)


def test_a_certificate_that_fits_is_kept(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    leaf = leaf_file(tmp_path, authority, NAMES, HOME)
    before = leaf.read_bytes()
    leaf_file(tmp_path, authority, NAMES, tuple(reversed(HOME)))
    assert leaf.read_bytes() == before


def another_authority(folder: Path) -> None:
    (folder / "authority.pem").unlink()


def almost_over(folder: Path) -> None:
    """The certificate again, good for 29 more days."""
    path = folder / "gateway.pem"
    pair = KeyPair.parse(path, path.read_bytes())
    signer = KeyPair.parse(folder / "authority.pem", (folder / "authority.pem").read_bytes())
    old, now = pair.certificate, datetime.now(UTC)
    builder = x509.CertificateBuilder(
        signer.certificate.subject, old.subject, old.public_key(), old.serial_number,
        now - timedelta(days=300), now + timedelta(days=29), list(old.extensions),
    )  # fmt: skip
    path.write_bytes(KeyPair(builder.sign(signer.key, hashes.SHA256()), pair.key).pem())


def damaged(folder: Path) -> None:
    (folder / "gateway.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize("change", [another_authority, almost_over, damaged])
def test_a_certificate_that_does_not_fit_is_made_again(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    leaf = leaf_file(tmp_path, Authority.open(tmp_path), NAMES, HOME)
    change(tmp_path)
    before = leaf.read_bytes()
    authority = Authority.open(tmp_path)
    leaf_file(tmp_path, authority, NAMES, HOME)
    assert leaf.read_bytes() != before
    assert verdict(tmp_path, authority, leaf, "-verify_ip", "192.168.1.20") == "ok"


def test_a_new_address_gets_a_new_certificate(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    leaf_file(tmp_path, authority, NAMES, HOME)
    leaf = leaf_file(tmp_path, authority, NAMES, (ip_address("10.0.0.7"),))
    assert verdict(tmp_path, authority, leaf, "-verify_ip", "10.0.0.7") == "ok"
    assert "mismatch" in verdict(tmp_path, authority, leaf, "-verify_ip", "192.168.1.20")


def test_without_any_address(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    leaf = leaf_file(tmp_path, authority, NAMES, ())
    assert verdict(tmp_path, authority, leaf, "-verify_hostname", "fer-gateway.local") == "ok"


@pytest.mark.parametrize("name", ["authority.pem", "gateway.pem"])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666])
def test_keys_that_others_can_read_are_not_used(tmp_path: Path, name: str, mode: int) -> None:
    leaf_file(tmp_path, Authority.open(tmp_path), NAMES, HOME)
    (tmp_path / name).chmod(mode)
    with pytest.raises(InsecureFile, match=f"`{tmp_path / name}`.*mode `0{mode:o}`.*chmod 600"):
        leaf_file(tmp_path, Authority.open(tmp_path), NAMES, HOME)


@pytest.mark.parametrize("keep", [0, 100, 500, 900])
def test_a_damaged_authority_is_not_replaced_silently(tmp_path: Path, keep: int) -> None:
    """Every device would have to trust the new one: that is for people to decide."""
    Authority.open(tmp_path)
    path = tmp_path / "authority.pem"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DamagedFile, match="put back a copy of it, or delete it"):
        Authority.open(tmp_path)
    assert path.stat().st_size == keep


def test_the_key_of_another_authority(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    Authority.open(tmp_path)
    Authority.open(tmp_path / "other")
    mine, other = (folder / "authority.pem" for folder in (tmp_path, tmp_path / "other"))
    key = mine.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    mine.write_bytes(
        key + b"-----BEGIN CERTIFICATE" + other.read_bytes().partition(b"-----BEGIN CERTIFICATE")[2]
    )
    with pytest.raises(DamagedFile, match="key of another certificate"):
        Authority.open(tmp_path)


def test_a_server_certificate_is_no_authority(tmp_path: Path) -> None:
    leaf = leaf_file(tmp_path, Authority.open(tmp_path), NAMES, HOME)
    leaf.replace(tmp_path / "authority.pem")
    with pytest.raises(DamagedFile, match="no authority of the gateway"):
        Authority.open(tmp_path)


def test_an_expired_authority(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    path = tmp_path / "authority.pem"
    pair = KeyPair.parse(path, path.read_bytes())
    old, now = pair.certificate, datetime.now(UTC)
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), old.serial_number,
        now - timedelta(days=10), now - timedelta(days=1), list(old.extensions),
    )  # fmt: skip
    path.write_bytes(KeyPair(builder.sign(pair.key, hashes.SHA256()), pair.key).pem())
    with pytest.raises(InvalidCertificate, match="has expired"):
        Authority.open(tmp_path)
