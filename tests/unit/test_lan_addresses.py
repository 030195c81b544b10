"""The addresses of this machine, and its name: on interfaces of a network that only the test sees."""

import gc
import json
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import pytest
from zeroconf import ServiceInfo, Zeroconf

from fer_gateway.lan.addresses import is_loopback, is_private, private_only, reachable
from fer_gateway.lan.discovery import SERVICE_TYPE, Announcement

WALK = """
import json, subprocess
from fer_gateway.lan.addresses import find_addresses
def ip(*words): subprocess.run(["ip", *words], check=True)
def show(): print(json.dumps([str(address) for address in find_addresses()]))
show()
ip("link", "set", "lo", "up")
show()
ip("addr", "add", "192.168.77.1/24", "dev", "lo")
show()
ip("addr", "add", "10.1.2.3/24", "dev", "lo")
ip("addr", "add", "203.0.113.9/24", "dev", "lo")
ip("-6", "addr", "add", "fd00:77::1/64", "dev", "lo")
show()
ip("addr", "del", "192.168.77.1/24", "dev", "lo")
show()
"""


def test_addresses_come_and_go() -> None:
    command = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*command, "ip", "link"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody have a network of their own")
    done = subprocess.run([*command, sys.executable, "-c", WALK], check=True, capture_output=True, text=True)
    none, still_none, one, three, two = (set(json.loads(line)) for line in done.stdout.splitlines())
    assert none == still_none == set()
    assert one == {"192.168.77.1"}
    assert three == {"192.168.77.1", "10.1.2.3", "fd00:77::1"}
    assert two == {"10.1.2.3", "fd00:77::1"}


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("192.168.1.20", True),
        ("10.255.0.1", True),
        ("172.16.0.1", True),
        ("172.31.255.254", True),
        ("172.32.0.1", False),
        ("169.254.9.9", True),
        ("100.64.0.1", True),
        ("100.128.0.1", False),
        ("8.8.8.8", False),
        ("127.0.0.1", False),
        ("fd00::1", True),
        ("fe80::1", False),
        ("2001:db8::1", False),
        ("::1", False),
    ],
)
def test_what_a_local_network_uses(address: str, private: bool) -> None:
    assert is_private(ip_address(address)) is private


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("0.0.0.0", ["192.168.1.2", "10.0.0.1"]),
        ("::", ["fd00::1", "192.168.1.2", "10.0.0.1"]),
        ("10.0.0.1", ["10.0.0.1"]),
        ("127.0.0.1", []),
        ("localhost", []),
    ],
)
def test_what_a_gateway_answers_on(host: str, reached: list[str]) -> None:
    known = [ip_address(text) for text in ("fd00::1", "192.168.1.2", "10.0.0.1")]
    assert list(map(str, reachable(host, known))) == reached


def test_each_address_once_in_order() -> None:
    known = [ip_address(text) for text in ("192.168.1.2", "8.8.8.8", "10.0.0.1", "192.168.1.2")]
    assert list(map(str, private_only(known))) == ["192.168.1.2", "10.0.0.1"]


@pytest.mark.parametrize(
    ("address", "here"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("192.168.1.2", False), ("unknown", False)],
)
def test_clients_on_this_machine(address: str, here: bool) -> None:
    assert is_loopback(address) is here


def asked(name: str) -> ServiceInfo | None:
    """What a device hears that looks for the gateway."""
    with Zeroconf(interfaces=["127.0.0.1"]) as network:
        return network.get_service_info(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}", timeout=10_000)


def test_the_name_is_announced_and_taken_back() -> None:
    """In a thread, as in the gateway: `zeroconf` takes the event loop of the thread that it is called in."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(announce_and_take_back).result()


def announce_and_take_back() -> None:
    announcement = Announcement("fer-test", 8443, ["127.0.0.1"])
    try:
        assert announcement.announce([ip_address("192.168.77.1")])
        service = asked("fer-test")
        assert service is not None
        assert service.server == "fer-test.local."
        assert (service.port, service.parsed_addresses()) == (8443, ["192.168.77.1"])
        assert service.properties[b"tls"] == b"1"
        assert announcement.announce([ip_address("10.0.0.7")])
        moved = asked("fer-test")
        assert moved is not None
        assert moved.parsed_addresses() == ["10.0.0.7"]
    finally:
        announcement.close()
    with Zeroconf(interfaces=["127.0.0.1"]) as network:
        assert network.get_service_info(SERVICE_TYPE, f"fer-test.{SERVICE_TYPE}", timeout=500) is None


def test_a_network_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    """The gateway goes on without its name."""
    announcement = Announcement("fer-test", 8443, ["192.0.2.77"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # `zeroconf` leaves a socket to the collector then
        assert not announcement.announce([ip_address("192.168.77.1")])
        gc.collect()
    assert "use an address instead" in caplog.text
    announcement.close()
