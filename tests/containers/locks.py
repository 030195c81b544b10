"""The lock of what serves, as it holds on one system."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).parent.parent.parent / "requirements-serve.txt"

TERMUX_PACKAGES = {"numpy", "onnxruntime", "opencv-python"}
"""Termux has them as packages of its own; there are no wheels for Android."""
TERMUX_WHEELS = {"pydantic-core"}
"""The one wheel that the Termux user repository has and the usual registry lacks."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked package."""

    name: str
    version: str
    text: str
    """Its lines in the lock, hashes and all, without the marker."""


def environment(system: str, machine: str, python: str) -> Mapping[str, str]:
    """What markers see; `system` as in `sys.platform`, `python` as `3.14`."""
    return {
        "sys_platform": system,
        "platform_machine": machine,
        "platform_system": "Android" if system == "android" else "Linux",
        "os_name": "posix",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


def pins_for(system: Mapping[str, str]) -> list[Pin]:
    """The pins that hold there."""
    pins = []
    for block in _blocks():
        head, _, hashes = block.partition("\n")
        requirement = Requirement(head.rstrip("\\ "))
        if requirement.marker is None or requirement.marker.evaluate(dict(system)):
            version = str(requirement.specifier).removeprefix("==")
            pins.append(Pin(requirement.name, version, f"{requirement.name}=={version} \\\n{hashes}"))
    return pins


def _blocks() -> list[str]:
    """A package begins where a line does not begin with a space."""
    blocks: list[str] = []
    for line in LOCK.read_text("utf-8").splitlines(keepends=True):
        if line[:1].isalnum():
            blocks.append(line)
        elif blocks and not line.lstrip().startswith("#"):
            blocks[-1] += line
    return blocks
