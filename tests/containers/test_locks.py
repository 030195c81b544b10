"""What is installed where, on computers and on phones: the markers of lock and requirements."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .locks import LOCK, TERMUX_PACKAGES, TERMUX_WHEELS, Pin, environment, pins_for

ROOT = LOCK.parent
INSTALL = ROOT / "docker" / "termux" / "install.sh"
PHONE = environment("android", "aarch64", "3.14")
NEVER = {"uvloop", "httptools", "watchfiles", "orjson", "ujson"}
"""Compiled, and without a wheel for Android; `uvicorn[standard]` and others would bring them."""


def names(pins: list[Pin]) -> set[str]:
    return {pin.name for pin in pins}


def version(name: str, pins: list[Pin]) -> str:
    (found,) = [pin.version for pin in pins if pin.name == name]
    return found


def test_a_phone_gets_what_it_can_have() -> None:
    pins = pins_for(PHONE)
    assert "opencv-python-headless" not in names(pins)
    assert version("opencv-python", pins).startswith("4.")
    assert version("pydantic", pins) == "2.12.5"
    assert version("pydantic-core", pins) == "2.41.5", "the one that pydantic 2.12.5 needs"
    assert not names(pins) & NEVER


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_a_computer_gets_the_same_on_every_processor(machine: str, python: str) -> None:
    pins = pins_for(environment("linux", machine, python))
    assert "opencv-python" not in names(pins)
    assert version("opencv-python-headless", pins).startswith("4.")
    assert len(names(pins)) == len(pins), "one version of each"
    assert not names(pins) & NEVER
    assert pins == pins_for(environment("linux", "x86_64", python))


def test_the_requirements_of_a_phone_are_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    pins = pins_for(PHONE)
    for requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate(dict(PHONE)):
            assert not requirement.extras
            assert version(requirement.name, pins) in requirement.specifier


def functions_of_the_installer(call: str) -> str:
    """What a function of install.sh prints, sourced without its last line, which runs it all."""
    script = INSTALL.read_text("utf-8").removesuffix("main\n")
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{call}", str(INSTALL)],
        cwd=INSTALL.parent,
        env=os.environ | {"BASH_SOURCE": str(INSTALL)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_installer_leaves_out_what_termux_has() -> None:
    """Pip must not try to build NumPy, OpenCV or ONNX Runtime; what remains has hashes."""
    kept = functions_of_the_installer(f'without "pydantic-core $FROM_APT" "{LOCK}"')
    heads = [line for line in kept.splitlines() if line[:1].isalnum()]
    found = {re.split(r"[=; ]", head)[0] for head in heads}
    assert found == names(pins_for(PHONE)) - TERMUX_PACKAGES - TERMUX_WHEELS
    assert len(heads) == len(found)
    assert all(head.endswith("\\") for head in heads)


def test_one_address_is_named_and_only_in_the_installer() -> None:
    addresses = re.findall(r"https?://[^\s`\"'})]+", INSTALL.read_text("utf-8"))
    assert [address for address in addresses if "localhost" not in address] == [
        "https://termux-user-repository.github.io/pypi/"
    ]
    for path in Path(INSTALL.parent).glob("*.sh"):
        if path != INSTALL:
            assert not re.findall(r"https?://(?!localhost)", path.read_text("utf-8"))
