"""Named sets of settings for kinds of machines; what is set by itself wins over its preset."""

from collections.abc import Mapping
from typing import Literal

PresetName = Literal["computer", "phone", "saver"]

# Two workers on two of the fast cores, so that the browser with its camera keeps the others.
PHONE: Mapping[str, object] = {
    "threads": 1,
    "workers": 2,
    "max_streams": 2,
    "max_waiting": 4,
    "max_fps": 15.0,
    "battery": True,
}

# For hours on the battery: enough to see an expression change.
SAVER: Mapping[str, object] = {**PHONE, "workers": 1, "max_streams": 1, "max_waiting": 2, "max_fps": 5.0}

PRESETS: Mapping[str, Mapping[str, object]] = {"computer": {}, "phone": PHONE, "saver": SAVER}
"""The fields of `Settings` that each preset fills in."""
