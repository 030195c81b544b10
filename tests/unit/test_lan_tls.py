"""HTTPS on real sockets: the certificate that is shown, and the one that replaces it."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from fer_gateway.errors import InsecureFile, InvalidCertificate
from fer_gateway.lan.addresses import IPAddress
from fer_gateway.lan.authority import Authority, KeyPair
from fer_gateway.lan.leaf import leaf_file
from fer_gateway.lan.network import LocalNetwork
from fer_gateway.lan.own_certificate import OwnCertificate
from fer_gateway.lan.repeating import repeating
from fer_gateway.lan.tls import Tls
from fer_gateway.settings import Settings


@contextmanager
def listening(context: ssl.SSLContext) -> Iterator[int]:
    """A port behind which every handshake is answered with one byte."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        secure.sendall(b"!")
                except OSError:  # a client that does not trust it
                    connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(30)


def names_shown(port: int, authority: bytes, name: str) -> set[str]:
    """The names in the certificate that a client gets who asks for `name` and trusts `authority`.

    Raises:
        ssl.SSLError: it does not fit.
    """
    context = ssl.create_default_context(cadata=authority.decode())
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
        context.wrap_socket(connection, server_hostname=name) as secure,
    ):
        assert secure.recv(1) == b"!"
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
        certificate: Any = secure.getpeercert()
        return {value for _, value in certificate["subjectAltName"]}


class Interfaces:
    """The addresses of a machine that moves from one network to another."""

    def __init__(self, *addresses: str) -> None:
        self.now: tuple[IPAddress, ...] = tuple(map(ip_address, addresses))

    def move(self, *addresses: str) -> None:
        self.now = tuple(map(ip_address, addresses))

    def __call__(self) -> tuple[IPAddress, ...]:
        return self.now


def test_the_certificate_follows_the_addresses(tmp_path: Path) -> None:
    """New connections see the new one at once; the server goes on, and the authority stays."""
    interfaces = Interfaces("192.168.1.20")
    network = LocalNetwork(Settings(lan=True, data=tmp_path), interfaces)
    trusted = network.authority.pem
    with listening(network.tls.context) as port:
        assert "192.168.1.20" in names_shown(port, trusted, "192.168.1.20")
        with pytest.raises(ssl.SSLCertVerificationError):
            names_shown(port, trusted, "10.0.0.7")
        interfaces.move("10.0.0.7", "192.168.1.20")
        network.refresh()
        assert "10.0.0.7" in names_shown(port, trusted, "10.0.0.7")
        interfaces.move()
        network.refresh()
        assert names_shown(port, trusted, "fer-gateway.local") >= {"fer-gateway.local", "127.0.0.1"}
        with pytest.raises(ssl.SSLCertVerificationError):
            names_shown(port, trusted, "192.168.1.20")


def test_the_network_is_looked_at_while_serving(tmp_path: Path) -> None:
    interfaces = Interfaces("192.168.1.20")
    settings = Settings(lan=True, data=tmp_path, lan_name="fer-looks")
    network = LocalNetwork(settings, interfaces)
    with listening(network.tls.context) as port, network.kept(port, every_s=0.05):
        interfaces.move("10.0.0.7")
        deadline_s = time.monotonic() + 60
        while "10.0.0.7" not in names_shown(port, network.authority.pem, "localhost"):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)


def test_a_task_that_fails_once_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    again, tries = threading.Event(), iter([ValueError("once"), None])

    def task() -> None:
        if error := next(tries, None):
            raise error
        again.set()

    with repeating(task, 0.01, "test"):
        assert again.wait(30)
    assert "failed" in caplog.text
    assert "once" in caplog.text


def test_what_cannot_be_written_leaves_the_old_certificate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interfaces = Interfaces("192.168.1.20")
    data = tmp_path / "data"
    network = LocalNetwork(Settings(lan=True, data=data), interfaces)
    with listening(network.tls.context) as port:
        data.rename(tmp_path / "away")
        data.write_text("no folder any more", "utf-8")
        interfaces.move("10.0.0.7")
        network.refresh()
        assert "cannot be renewed" in caplog.text
        assert "192.168.1.20" in names_shown(port, network.authority.pem, "192.168.1.20")
        data.unlink()
        (tmp_path / "away").rename(data)
        network.refresh()
        assert "10.0.0.7" in names_shown(port, network.authority.pem, "10.0.0.7")


def test_a_certificate_of_ones_own(tmp_path: Path, own_pair: tuple[Path, Path]) -> None:
    authority = Authority.open(tmp_path).pem
    for own in (OwnCertificate(*own_pair), OwnCertificate(own_pair[1])):
        with listening(own.tls.context) as port:
            assert "gateway.local" in names_shown(port, authority, "gateway.local")


def test_a_renewed_certificate_is_shown_without_a_restart(
    tmp_path: Path, own_pair: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """As `certbot` or an operator renews it; a copy that is half done leaves the old one in place."""
    certificate, key = own_pair
    authority = Authority.open(tmp_path)
    own = OwnCertificate(certificate, key)
    with listening(own.tls.context) as port, own.kept(every_s=0.05):

        def wait_for(name: str) -> None:
            deadline_s = time.monotonic() + 60
            while name not in names_shown(port, authority.pem, "localhost"):
                assert time.monotonic() < deadline_s
                time.sleep(0.05)

        wait_for("gateway.local")
        certificate.write_bytes(b"half of a certif")
        deadline_s = time.monotonic() + 60
        while "cannot be used" not in caplog.text:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        time.sleep(0.3)  # it is told once, not at every look
        assert caplog.text.count("cannot be used") == 1
        assert "gateway.local" in names_shown(port, authority.pem, "localhost")
        (tmp_path / "next").mkdir()
        renewed = leaf_file(tmp_path / "next", authority, ("localhost", "renewed.local"), ()).read_bytes()
        key.write_bytes(renewed)
        certificate.write_bytes(renewed)
        wait_for("renewed.local")


def test_a_key_that_others_can_read(own_pair: tuple[Path, Path]) -> None:
    own_pair[1].chmod(0o644)
    with pytest.raises(InsecureFile, match="chmod"):
        OwnCertificate(*own_pair)


def encrypt(certificate: Path, key: Path) -> None:
    secret = KeyPair.parse(key, key.read_bytes()).key
    encryption = BestAvailableEncryption(b"secret")
    key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def swap_key(certificate: Path, key: Path) -> None:
    other = certificate.parent / "other"
    other.mkdir()
    key.write_bytes(leaf_file(other, Authority.open(other), ("gateway.local",), ()).read_bytes())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda certificate, key: certificate.unlink(), "No such file"),
        (lambda certificate, key: key.unlink(), "There is no file"),
        (lambda certificate, key: certificate.write_bytes(b"hello"), "PEM"),
        (lambda certificate, key: key.write_bytes(b""), "PEM"),
        (encrypt, "is encrypted"),
        (swap_key, "key values mismatch"),
    ],
)
def test_files_that_cannot_be_used(own_pair: tuple[Path, Path], damage: Any, told: str) -> None:
    damage(*own_pair)
    with pytest.raises(InvalidCertificate, match=told):
        OwnCertificate(*own_pair)


def test_a_bad_replacement_changes_nothing(tmp_path: Path, own_pair: tuple[Path, Path]) -> None:
    tls = Tls(*own_pair)
    bad = tmp_path / "bad"
    bad.write_bytes(b"nothing")
    with listening(tls.context) as port:
        with pytest.raises(InvalidCertificate):
            tls.use(bad)
        assert "gateway.local" in names_shown(port, Authority.open(tmp_path).pem, "gateway.local")
