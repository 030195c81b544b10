"""The file of devices: what is kept, shared and forgotten."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_gateway.api.limits import MAX_KEYS, Allowance, Places
from fer_gateway.errors import Busy, DamagedFile, PairingRefused, RateLimited, TokenInvalid, UnknownDevice
from fer_gateway.lan.devices import DEFAULT_SCOPES, MAX_CODES, Book, DeviceFile
from fer_gateway.lan.tokens import CODE_ALPHABET, digest, is_digest_of, new_code, new_token, plain_code


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "devices.json"


def test_two_processes_share_the_file(path: Path) -> None:
    one, other = DeviceFile(path), DeviceFile(path)
    device, token = one.add("phone", DEFAULT_SCOPES, 1)
    assert other.find(token) == device
    other.check(device)
    one.revoke(device.id)
    with pytest.raises(TokenInvalid):
        other.find(token)
    with pytest.raises(TokenInvalid):
        other.check(device)
    with pytest.raises(UnknownDevice, match=device.id):
        other.revoke(device.id)


def test_no_change_is_lost(path: Path) -> None:
    """Several at once, as a page and the command line may be."""
    threads = [
        threading.Thread(target=DeviceFile(path).add, args=(f"device {number}", DEFAULT_SCOPES, 1))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {device.name for device in DeviceFile(path).list()} == {f"device {number}" for number in range(8)}


def test_a_code_is_good_for_one_device(path: Path) -> None:
    devices = DeviceFile(path)
    code = devices.open_pairing(("stream",), 7)[1]
    device, token = devices.pair(code.lower(), "phone")
    assert devices.find(token) == device
    assert device.scopes == ("stream",)
    assert (device.expires - device.created).days == 7
    with pytest.raises(PairingRefused, match="devices pair"):
        devices.pair(code, "thief")


def test_codes_do_not_pile_up(path: Path) -> None:
    devices = DeviceFile(path)
    codes = [devices.open_pairing(DEFAULT_SCOPES, 1)[1] for _ in range(MAX_CODES + 2)]
    assert len(Book.model_validate_json(path.read_bytes()).codes) == MAX_CODES
    with pytest.raises(PairingRefused):
        devices.pair(codes[0], "late")
    devices.pair(codes[-1], "in time")


def test_no_file_is_no_devices(path: Path) -> None:
    devices = DeviceFile(path)
    assert devices.list() == ()
    device, token = devices.add("phone", DEFAULT_SCOPES, 1)
    path.unlink()
    with pytest.raises(TokenInvalid):
        devices.find(token)
    assert device.name == "phone"


def test_a_file_that_cannot_be_looked_at_is_not_no_devices(path: Path) -> None:
    path.symlink_to(path)
    with pytest.raises(DamagedFile, match="cannot be read"):
        DeviceFile(path).list()
    with pytest.raises(DamagedFile):
        DeviceFile(path).open_pairing(DEFAULT_SCOPES, 1)


class SlowReader(DeviceFile):
    """Lets another read overtake its own between the file and what it remembers of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.overtake: Callable[[], object] | None = None

    def _parse(self, content: bytes) -> Book:
        book = super()._parse(content)
        overtake, self.overtake = self.overtake, None
        if overtake is not None:
            overtake()
        return book


def test_a_read_that_is_overtaken_does_not_bring_a_device_back(path: Path) -> None:
    devices, other = SlowReader(path), DeviceFile(path)
    device, token = other.add("lost phone", DEFAULT_SCOPES, 1)

    def overtake() -> None:
        other.revoke(device.id)
        with pytest.raises(TokenInvalid):
            devices.find(token)

    devices.overtake = overtake
    assert devices.list() == (device,), "as the file was when it was read"
    with pytest.raises(TokenInvalid):
        devices.find(token)
    assert devices.list() == ()


def changed(path: Path, **changes: object) -> str:
    book = json.loads(path.read_text("utf-8"))
    book["devices"][0] |= changes
    return json.dumps(book)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: "",
        lambda path: "null",
        lambda path: path.read_text("utf-8")[:-20],
        lambda path: changed(path, scopes=["everything"]),
        lambda path: changed(path, scopes=[]),
        lambda path: changed(path, expires="never"),
        lambda path: changed(path, expires="2099-01-01T00:00:00"),
        lambda path: changed(path, token_sha256="abc"),
        lambda path: changed(path, id="../../etc"),
        lambda path: '{"version": 2, "devices": []}',
        lambda path: '{"version": 1, "owners": []}',
    ],
)
def test_a_damaged_file(path: Path, damage: object) -> None:
    devices = DeviceFile(path)
    token = devices.add("phone", DEFAULT_SCOPES, 1)[1]
    path.write_text(damage(path), "utf-8")  # type: ignore[operator]
    before = path.read_bytes()
    for attempt in (devices.list, lambda: devices.find(token), lambda: devices.add("x", DEFAULT_SCOPES, 1)):
        with pytest.raises(DamagedFile, match="put back a copy"):
            attempt()
    assert path.read_bytes() == before


def test_secrets_are_random_and_long() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {len("fer_") + 43}
    assert len({new_code() for _ in range(100)}) == 100


@settings(deadline=None)
@given(st.text(CODE_ALPHABET, min_size=12, max_size=12), st.sampled_from("- "), st.booleans())
def test_codes_survive_typing(characters: str, separator: str, lower: bool) -> None:
    code = "-".join(characters[start : start + 4] for start in (0, 4, 8))
    typed = separator.join(characters[start : start + 4] for start in (0, 4, 8))
    assert plain_code(typed.lower() if lower else typed) == code


def test_letters_that_look_like_digits() -> None:
    assert plain_code("oO0l-iI1L") == plain_code("0001-1111") == "0001-1111"


@settings(deadline=None)
@given(st.text(max_size=100))
def test_any_text_can_be_tried_as_a_code(text: str) -> None:
    assert len(digest(plain_code(text))) == 64


def test_digests_are_compared_as_a_whole() -> None:
    assert is_digest_of(digest("a"), digest("a"))
    assert not is_digest_of(digest("a"), digest("b"))


def test_an_allowance_fills_again() -> None:
    now_s = 0.0
    allowance = Allowance(6, lambda: now_s)
    for _ in range(6):
        allowance.take("a")
    with pytest.raises(RateLimited) as refused:
        allowance.take("a")
    assert refused.value.retry_after_s == 10
    allowance.take("b")
    now_s = 10.0
    allowance.take("a")
    with pytest.raises(RateLimited):
        allowance.take("a")


def test_an_allowance_forgets_the_silent() -> None:
    allowance = Allowance(1)
    for number in range(MAX_KEYS + 10):
        allowance.take(str(number))
    assert len(allowance._levels) == MAX_KEYS


def test_places_are_counted_for_each() -> None:
    places = Places(1)
    with places.take("a"), places.take("b"), pytest.raises(Busy), places.take("a"):
        pass
    with places.take("a"):
        pass
    assert not places._taken
