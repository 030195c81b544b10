"""`fer-gateway devices`, with its real file."""

import json
import re
import stat
from pathlib import Path

import pytest

from fer_gateway.cli import main
from fer_gateway.lan.devices import DeviceFile
from fer_gateway.lan.origins import address_remembered

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def devices(data: Path) -> DeviceFile:
    return DeviceFile(data / "devices.json")


def run(data: Path, capsys: Capture, *argv: str) -> tuple[int, str, str]:
    status = main(["devices", *argv, "--data", str(data)])
    return status, *capsys.readouterr()


def test_add_prints_the_token_and_nothing_else(data: Path, devices: DeviceFile, capsys: Capture) -> None:
    status, out, err = run(data, capsys, "add", "Kitchen tablet", "--days", "30")
    assert status == 0
    device = devices.find(out.strip())
    assert (device.name, device.scopes) == ("Kitchen tablet", ("analyze", "stream"))
    assert (device.expires - device.created).days == 30
    assert f"devices revoke {device.id}" in err
    assert stat.S_IMODE((data / "devices.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        (["--scope", "analyze"], ("analyze",)),
        (["--scope", "stream", "--scope", "admin", "--scope", "stream"], ("stream", "admin")),
        (["--admin"], ("analyze", "stream", "admin")),
    ],
)
def test_scopes(
    data: Path, devices: DeviceFile, capsys: Capture, options: list[str], scopes: tuple[str, ...]
) -> None:
    assert run(data, capsys, "add", "x", *options)[0] == 0
    assert devices.list()[0].scopes == scopes


def test_pair_prints_an_address_whose_code_works(data: Path, devices: DeviceFile, capsys: Capture) -> None:
    status, out, err = run(data, capsys, "pair", "--port", "9000")
    assert status == 0
    match = re.fullmatch(r"http://localhost:9000/pair#([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})\n", out)
    assert match
    assert match[1] in err
    assert devices.pair(match[1], "phone")[0].name == "phone"


def test_pair_knows_the_gateway_of_the_local_network(data: Path, capsys: Capture) -> None:
    with address_remembered(data, "127.0.0.1", 8443):
        assert re.match(r"https://localhost:8443/pair#", run(data, capsys, "pair")[1])
        assert re.match(r"http://localhost:9000/pair#", run(data, capsys, "pair", "--port", "9000")[1])
    assert re.match(r"http://localhost:8000/pair#", run(data, capsys, "pair")[1])


def test_pair_takes_the_address_that_browsers_open(data: Path, capsys: Capture) -> None:
    with address_remembered(data, "0.0.0.0", 9443):
        status, out, err = run(data, capsys, "pair", "--url", "https://faces.example.org/")
    assert status == 0
    assert out.startswith("https://faces.example.org/pair#")
    assert "https://faces.example.org/pair and enter" in err


def test_list_and_revoke(data: Path, devices: DeviceFile, capsys: Capture) -> None:
    assert "devices pair" in run(data, capsys, "list")[2]
    device, token = devices.add("Old phone", ("stream",), 1)
    listed = run(data, capsys, "list")[1]
    for part in (device.id, "Old phone", "stream", f"{device.expires:%Y-%m-%d}"):
        assert part in listed
    (members,) = json.loads(run(data, capsys, "list", "--json")[1])
    assert members["id"] == device.id
    assert members["expired"] is False
    assert "token_sha256" not in members
    assert token not in listed
    assert run(data, capsys, "revoke", device.id)[0] == 0
    assert devices.list() == ()


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["revoke", "01234567"], 1, "No device has the id `01234567`"),
        (["add", ""], 2, "1 to 64 characters"),
        (["add", "x" * 65], 2, "1 to 64 characters"),
        (["add", "\x1b[2J"], 2, "none of them for control"),
        (["add", "x", "--days", "0"], 2, "`--days` is 1 to 3650"),
        (["add", "x", "--days", "99999999"], 2, "`--days` is 1 to 3650"),
    ],
)
def test_wrong_use(data: Path, capsys: Capture, argv: list[str], status: int, message: str) -> None:
    told = run(data, capsys, *argv)
    assert (told[0], told[1]) == (status, "")
    assert message in told[2]


def test_a_damaged_file_is_named_and_kept(data: Path, devices: DeviceFile, capsys: Capture) -> None:
    devices.add("phone", ("stream",), 1)
    path = data / "devices.json"
    path.write_text("{", "utf-8")
    status, out, err = run(data, capsys, "list")
    assert (status, out) == (1, "")
    assert f"`{path}` is damaged" in err
    assert path.read_text("utf-8") == "{"


def test_an_open_file_is_named_with_the_fix(data: Path, devices: DeviceFile, capsys: Capture) -> None:
    devices.add("phone", ("stream",), 1)
    (data / "devices.json").chmod(0o666)
    assert "chmod" in run(data, capsys, "list")[2]


def test_the_file_can_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("FER_DEVICES", str(tmp_path / "mounted.json"))
    assert run(tmp_path / "data", capsys, "add", "x")[0] == 0
    assert (tmp_path / "mounted.json").is_file()
