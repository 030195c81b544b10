"""Battery and heat of a phone, and how many camera frames a second they allow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import DEVNULL, STDOUT
from typing import Any, Self

import anyio

from fer_gateway.errors import PowerUnknown

COMMAND = "termux-battery-status"
"""Comes with `pkg install termux-api` and the app Termux:API; JSON on standard output."""

COMMAND_TIMEOUT_S = 10.0
"""Without the app Termux:API the command waits for it for ever."""

WARM_C, HOT_C = 40.0, 45.0
"""Battery temperatures: uncomfortable in the hand, and close to what Android itself steps in at."""

COOLED_C = 2.0
"""How far below a limit the battery must cool before that limit is left, so that nothing flickers."""

LOW_PERCENT = 20.0
"""Charge below which a battery that is not being charged is spared."""

WARM_FPS, HOT_FPS, LOW_FPS = 8.0, 2.0, 5.0


@dataclass(frozen=True, slots=True)
class Battery:
    """What `termux-battery-status` tells, as far as it matters here."""

    percent: float
    """Charge, 0 to 100."""
    celsius: float
    """Temperature of the battery."""
    charging: bool
    """Whether it is at a charger."""

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """A reading from the JSON of `COMMAND`; its numbers may be strings.

        Raises:
            PowerUnknown: no such JSON; the text of an error of Termux:API is quoted.
        """
        try:
            told: dict[str, Any] = json.loads(text)
            plugged, status = str(told.get("plugged", "")), str(told.get("status", ""))
            return cls(
                percent=float(told["percentage"]),
                celsius=float(told["temperature"]),
                charging=plugged.startswith("PLUGGED") or status in ("CHARGING", "FULL"),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            answer = text if isinstance(text, str) else text.decode(errors="replace")
            raise PowerUnknown(
                f"`{COMMAND}` answered `{answer.strip()[:100]}`, which tells no charge and temperature; "
                "install the app Termux:API from where Termux itself came from, and open it once."
            ) from exc


class Care:
    """Which cap the battery asks for; remembers whether it was hot, so that it may cool first."""

    def __init__(self) -> None:
        self._warm = self._hot = False

    def max_fps(self, battery: Battery) -> float | None:
        """Frames a second that the battery allows; none where it asks for nothing."""
        self._hot = battery.celsius >= HOT_C - (COOLED_C if self._hot else 0)
        self._warm = battery.celsius >= WARM_C - (COOLED_C if self._warm else 0)
        caps = [
            fps
            for fps, asked in (
                (HOT_FPS, self._hot),
                (WARM_FPS, self._warm),
                (LOW_FPS, battery.percent < LOW_PERCENT and not battery.charging),
            )
            if asked
        ]
        return min(caps, default=None)


async def read_battery(command: Sequence[str] = (COMMAND,), timeout_s: float = COMMAND_TIMEOUT_S) -> Battery:
    """Ask the phone.

    Raises:
        PowerUnknown: the command is missing, hangs, or answers something else.
    """
    try:
        with anyio.fail_after(timeout_s):
            done = await anyio.run_process(command, stdin=DEVNULL, stderr=STDOUT, check=False)
    except TimeoutError as exc:
        raise PowerUnknown(
            f"`{command[0]}` gave no answer within {timeout_s:g} s; install the app Termux:API from where "
            "Termux itself came from, and open it once."
        ) from exc
    except OSError as exc:
        raise PowerUnknown(
            f"`{command[0]}` cannot be run ({exc.strerror}); in Termux, `pkg install termux-api` brings it."
        ) from exc
    return Battery.parse(done.stdout)
