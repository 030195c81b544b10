"""`fer-gateway serve` for others: what it says and serves, and what keeps it from starting."""

import contextlib
import os
import pty
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fer_gateway.cli import main
from fer_gateway.lan.authority import Authority
from fer_gateway.lan.devices import DEFAULT_SCOPES, DeviceFile

LOOPBACK = ("--host", "127.0.0.1", "--port", "0")


@contextlib.contextmanager
def serving(*options: str, at_terminal: bool = False, until: bytes = b"Stop  Ctrl+C") -> Iterator[str]:
    """The greeting of a gateway that runs for the time of the block."""
    reading, writing = pty.openpty() if at_terminal else os.pipe()
    command = [sys.executable, "-m", "fer_gateway", "serve", *LOOPBACK, *options]
    with subprocess.Popen(command, stdout=writing) as process, os.fdopen(reading, "rb", 0) as stream:
        os.close(writing)
        try:
            greeting = b""
            while until not in greeting:
                greeting += stream.read(4096)
            yield greeting.decode(errors="replace").replace("\r\n", "\n")
        finally:
            process.terminate()
            process.wait(60)


def port_in(greeting: str) -> int:
    return int(greeting.split("\n", maxsplit=1)[0].rsplit(":", 1)[1])


def test_the_local_network_is_served(tmp_path: Path, tiny_model: Path, gradient_jpg: bytes) -> None:
    options = ("--lan", "--trust-port", "0", "--data", str(tmp_path), "--model", str(tiny_model))
    with serving(*options) as greeting:
        port = port_in(greeting)
        assert f"serves at https://localhost:{port}\n" in greeting
        assert f"https://fer-gateway.local:{port}\n" in greeting
        authority = Authority.open(tmp_path)
        assert authority.fingerprint in re.sub(r"\n\s+", "", greeting)
        assert not re.search(r"\w{4}-\w{4}-\w{4}", greeting), "a log is no place for codes"
        trusted = ssl.create_default_context(cadata=authority.pem.decode())
        token = DeviceFile(tmp_path / "devices.json").add("app", DEFAULT_SCOPES, 1)[1]
        for name in ("localhost", "127.0.0.1"):
            url = f"https://{name}:{port}/api/v1/analyze"
            with httpx.Client(verify=trusted, timeout=60) as client:
                assert client.post(url, content=gradient_jpg).status_code == 401
                headers = {"Authorization": f"Bearer {token}"}
                assert client.post(url, content=gradient_jpg, headers=headers).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://localhost:{port}/", timeout=60)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{port}/", timeout=60)


def test_at_a_terminal_the_first_device_gets_a_code(tmp_path: Path, tiny_model: Path) -> None:
    options = ("--lan", "--trust-port", "0", "--data", str(tmp_path), "--model", str(tiny_model))
    with serving(*options, at_terminal=True, until=b"Then scan to pair") as greeting:
        code = re.search(r"with the code (\w{4}-\w{4}-\w{4})", greeting)
        assert code
        assert greeting.count("█") > 100
        device, _ = DeviceFile(tmp_path / "devices.json").pair(code[1], "phone")
        assert device.scopes == DEFAULT_SCOPES
    with serving(*options, at_terminal=True) as greeting:
        assert "devices pair" in greeting
        assert "with the code" not in greeting


MOVE = """
import ssl, subprocess, sys, time, httpx
data, model = sys.argv[1:]
def ip(*words): subprocess.run(["ip", *words], check=True)
def served(name, trusted):
    try:
        return httpx.get(f"https://{name}:{port}/api/v1/ready", verify=trusted, timeout=30).status_code == 200
    except httpx.TransportError:
        return False
def wait_until(condition):
    deadline_s = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.5)
def shown():
    return ssl.get_server_certificate(("192.168.88.5", port), timeout=30)
ip("link", "set", "lo", "up")
ip("addr", "add", "192.168.77.1/24", "dev", "lo")
options = ["--lan", "--port", "0", "--trust-port", "0", "--data", data, "--model", model]
command = [sys.executable, "-m", "fer_gateway", "serve", *options]
with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
    lines = [process.stdout.readline()]
    while "Stop" not in lines[-1]:
        lines.append(process.stdout.readline())
    assert "https://192.168.77.1:" in lines[0], lines
    port = int(lines[0].rsplit(":", 1)[1])
    trust = next(line for line in lines if "Trust" in line).split()[1]
    trusted = ssl.create_default_context(cadata=httpx.get(f"{trust}/ca.crt", timeout=30).text)
    wait_until(lambda: served("192.168.77.1", trusted))
    ip("addr", "add", "192.168.88.5/24", "dev", "lo")
    wait_until(lambda: served("192.168.88.5", trusted))
    before = shown()
    ip("addr", "del", "192.168.77.1/24", "dev", "lo")
    wait_until(lambda: shown() != before)
    assert served("192.168.88.5", trusted)
    process.terminate()
print("done")
"""


@pytest.mark.slow
def test_an_address_comes_and_another_disappears(tmp_path: Path, tiny_model: Path) -> None:
    """In a network that only the test sees, with devices that trust the authority from the beginning."""
    command = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*command, "ip", "link"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody have a network of their own")
    command += [sys.executable, "-c", MOVE, str(tmp_path), str(tiny_model)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stdout == "done\n", done.stderr


def test_a_certificate_of_ones_own(tmp_path: Path, tiny_model: Path, own_pair: tuple[Path, Path]) -> None:
    options = ("--tls-cert", str(own_pair[0]), "--tls-key", str(own_pair[1]), "--model", str(tiny_model))
    with serving(*options) as greeting:
        trusted = ssl.create_default_context(cadata=Authority.open(tmp_path).pem.decode())
        answer = httpx.get(f"https://localhost:{port_in(greeting)}/api/v1/ready", verify=trusted, timeout=60)
        assert answer.status_code == 200


def refusal(capsys: pytest.CaptureFixture[str], status: int, *options: str) -> str:
    """The one line that a gateway ends with which cannot start."""
    assert main(["serve", *LOOPBACK, *options]) == status
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return str(line)


def test_the_other_port_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refusal(capsys, 1, "--lan", "--trust-port", port, "--data", str(tmp_path))
    assert f"Port `{port}` of `127.0.0.1` is in use" in told
    assert f"`--trust-port {int(port) + 1}`" in told


def test_a_key_that_others_can_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Authority.open(tmp_path)
    (tmp_path / "authority.pem").chmod(0o644)
    told = refusal(capsys, 1, "--lan", "--trust-port", "0", "--data", str(tmp_path))
    assert "Others can get at" in told
    assert "chmod 600" in told


def test_a_damaged_authority(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "authority.pem").touch(0o600)
    assert "put back a copy" in refusal(capsys, 1, "--lan", "--trust-port", "0", "--data", str(tmp_path))


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    told = refusal(capsys, 1, "--lan", "--trust-port", "0", "--data", str(tmp_path / "file"))
    assert "FER_DATA" in told


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--tls-key", "own.key"), 2, "`--tls-key` needs `--tls-cert`"),
        (("--tls-cert", "/nowhere/own.crt"), 1, "There is no file `/nowhere/own.crt`"),
        (("--lan", "--lan-name", "No Name"), 2, "`No Name` for `--lan-name`"),
        (("--lan", "--trust-port", "x"), 2, "`x` for `--trust-port`"),
    ],
)
def test_wrong_options(
    options: tuple[str, ...], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refusal(capsys, status, *options)


def test_without_cryptography_the_extra_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['cryptography'] = None; from fer_gateway import cli; sys.exit(cli.main())"
    options = ["serve", *LOOPBACK, "--lan", "--trust-port", "0", "--data", str(tmp_path)]
    command = [sys.executable, "-c", code, *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "pip install 'fer-gateway[lan]'" in line


def test_without_the_other_extras_there_is_no_picture(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['segno'] = sys.modules['zeroconf'] = None\n"
        "from fer_gateway.lan.qr import qr_image, qr_text\n"
        "from fer_gateway.lan.discovery import Announcement\n"
        "print(qr_image('x'), repr(qr_text('x')), Announcement('x', 1).announce([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "None '' False\n"
