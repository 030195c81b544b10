"""What machine this is: its name, its system, its cores; as far as it tells."""

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fer_gateway.settings import usable_cores

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Device:
    """One machine."""

    name: str
    """`Google Pixel 8`, `Raspberry Pi 5 Model B Rev 1.0`, or the processor's name."""
    system: str
    """`Android 16, aarch64`."""
    cores: int
    """Processor cores that may be used."""


def this_device(root: Path = Path("/")) -> Device:
    """The machine that this runs on; `root` holds its `proc` and `sys`."""
    android = android_property("ro.build.version.release")
    system = f"Android {android}" if android else f"{platform.system()} {platform.release()}"
    name = next((name for name in _names(root) if name), UNKNOWN)
    return Device(name, f"{system}, {platform.machine()}", usable_cores())


def android_property(name: str) -> str:
    """What Android's `getprop` answers; empty elsewhere."""
    command = shutil.which("getprop")
    if command is None:
        return ""
    try:
        done = subprocess.run([command, name], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _names(root: Path) -> Iterator[str]:
    """The most telling first."""
    yield f"{android_property('ro.product.manufacturer')} {android_property('ro.product.model')}".strip()
    yield _text(root / "proc/device-tree/model").strip("\0 \n")
    processor = re.search(r"^model name\s*:\s*(.+)$", _text(root / "proc/cpuinfo"), re.MULTILINE)
    yield processor[1].strip() if processor else ""
    yield platform.processor()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
