"""`server/LAN.md`: what it names exists, and is as it says."""

import re
from pathlib import Path

import pytest

from fer_gateway import errors
from fer_gateway.api import access
from fer_gateway.cli import main
from fer_gateway.errors import GatewayError
from fer_gateway.lan.authority import LOCAL_DOMAINS
from fer_gateway.lan.leaf import LIFETIME
from fer_gateway.settings import Settings

PAGE = Path(__file__).parents[2] / "server" / "LAN.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = sorted(
    {line.split("  #")[0].strip() for line in re.findall(r"fer-gateway (?:serve|devices) [^`\n]*", TEXT)}
)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_and_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = command.split()[1:]
    with pytest.raises(SystemExit) as stopped:
        main([*words[: 2 if words[0] == "devices" else 1], "--help"])
    assert stopped.value.code == 0
    usage = capsys.readouterr().out
    assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", usage))


def test_options_settings_and_links() -> None:
    assert set(re.findall(r"FER_[A-Z_]+", TEXT)) <= {f"FER_{name.upper()}" for name in Settings.model_fields}
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    assert not [link for link in links if not (PAGE.parent / link).exists()]


def test_statuses_and_codes() -> None:
    known = {
        error.code: error.status
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, GatewayError)
    }
    rows = [row for row in TEXT.splitlines() if re.match(r"\| .* \| \d{3} ", row)]
    assert len(rows) > 5
    for row in rows:
        answer = row.split("|")[2]
        codes = re.findall(r"`([a-z]+_[a-z_]+)`", answer)
        assert codes
        assert {known[code] for code in codes} == {int(answer.split()[0])}


def test_numbers() -> None:
    settings = Settings.model_fields
    assert (
        f"more than {access.PAIRINGS_PER_MINUTE} tries to pair, {access.REFUSALS_PER_MINUTE} wrong tokens"
        in TEXT
    )
    assert f"or {settings['max_requests_per_minute'].default} requests a minute" in TEXT
    assert f"{settings['max_streams_per_client'].default} of a device" in TEXT
    assert f"{settings['max_streams'].default} in all" in TEXT
    assert f"{LIFETIME.days + 1} days" in TEXT
    assert all(f"`.{domain}`" in TEXT or f"`{domain}`" in TEXT for domain in LOCAL_DOMAINS)
