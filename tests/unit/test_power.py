"""Battery and heat: what the phone tells, what cap that asks for, and a phone that does not tell."""

import json
import sys
from pathlib import Path

import anyio
import pytest

from fer_gateway.errors import PowerUnknown
from fer_gateway.power import HOT_FPS, LOW_FPS, WARM_FPS, Battery, Care, read_battery

TOLD = {
    "present": True,
    "health": "GOOD",
    "plugged": "UNPLUGGED",
    "status": "DISCHARGING",
    "temperature": "29.5",
    "percentage": 83,
}
"""An answer of `termux-battery-status`, shortened."""


@pytest.mark.parametrize(
    ("changes", "battery"),
    [
        ({}, Battery(83, 29.5, charging=False)),
        ({"temperature": 41.25, "percentage": "7"}, Battery(7, 41.25, charging=False)),
        ({"plugged": "PLUGGED_USB"}, Battery(83, 29.5, charging=True)),
        ({"plugged": "PLUGGED_AC", "status": "NOT_CHARGING"}, Battery(83, 29.5, charging=True)),
        ({"status": "FULL"}, Battery(83, 29.5, charging=True)),
    ],
)
def test_an_answer(changes: dict[str, object], battery: Battery) -> None:
    assert Battery.parse(json.dumps(TOLD | changes)) == battery


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"percentage": 50}', '{"percentage": null, "temperature": 30}', "no api"],
)
def test_no_answer(text: str) -> None:
    with pytest.raises(PowerUnknown, match="Termux:API"):
        Battery.parse(text)


@pytest.mark.parametrize(
    ("percent", "celsius", "charging", "max_fps"),
    [
        (80, 30, False, None),
        (20, 39.9, False, None),
        (19, 30, False, LOW_FPS),
        (19, 30, True, None),
        (80, 40, False, WARM_FPS),
        (80, 44.9, True, WARM_FPS),
        (80, 45, False, HOT_FPS),
        (5, 40, False, LOW_FPS),
        (5, 50, False, HOT_FPS),
    ],
)
def test_the_cap(percent: float, celsius: float, charging: bool, max_fps: float | None) -> None:
    assert Care().max_fps(Battery(percent, celsius, charging)) == max_fps


def test_a_hot_phone_must_cool_before_it_works_harder() -> None:
    care = Care()
    caps = [
        care.max_fps(Battery(80, celsius, charging=False))
        for celsius in (39, 40, 39, 38, 37.9, 39.9, 45, 43.5, 43, 42.9, 38.5, 37)
    ]
    warm, hot = WARM_FPS, HOT_FPS
    assert caps == [None, warm, warm, warm, None, None, hot, hot, hot, warm, warm, None]


def test_the_command_is_asked(tmp_path: Path) -> None:
    (tmp_path / "told.json").write_text(json.dumps(TOLD), "utf-8")
    command = [
        sys.executable,
        "-c",
        "import sys; print(open(sys.argv[1]).read())",
        str(tmp_path / "told.json"),
    ]
    assert anyio.run(read_battery, command) == Battery(83, 29.5, charging=False)


@pytest.mark.parametrize(
    ("command", "timeout_s", "message"),
    [
        (["/nowhere/termux-battery-status"], 30.0, "pkg install termux-api"),
        (["sh", "-c", "echo cannot connect; exit 1"], 30.0, "cannot connect"),
        (["sleep", "60"], 0.1, "within 0.1 s"),
    ],
    ids=["missing", "failing", "hanging"],
)
def test_a_phone_that_does_not_tell(command: list[str], timeout_s: float, message: str) -> None:
    with pytest.raises(PowerUnknown, match=message):
        anyio.run(read_battery, command, timeout_s)
