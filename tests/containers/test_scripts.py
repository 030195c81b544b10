"""Shell scripts: what shellcheck says, and that each can be started as it is documented."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TERMUX = ROOT / "docker" / "termux"
SCRIPTS = sorted([*TERMUX.glob("*.sh"), *Path(__file__).parent.glob("*.sh"), ROOT / ".ci" / "run"])

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)


@every_script
def test_shellcheck_finds_nothing(script: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed: `apt-get install shellcheck`")
    done = subprocess.run(
        [shellcheck, "--external-sources", str(script)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@every_script
def test_scripts_stop_at_the_first_error(script: Path) -> None:
    if script.name == "common.sh":
        pytest.skip("is sourced by the others, and stops with them")
    lines = script.read_text("utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines


def run(script: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = ("FER_", "TERMUX_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        ["bash", str(TERMUX / script), *options],
        check=False, capture_output=True, text=True, env=environment | variables,
    )  # fmt: skip


@pytest.mark.parametrize("script", ["install.sh", "boot.sh", "update.sh", "uninstall.sh"])
def test_outside_termux_nothing_is_touched(script: str, tmp_path: Path) -> None:
    done = run(script, HOME=str(tmp_path))
    assert done.returncode == 1
    assert "this is not Termux" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", ["start.sh", "run.sh"])
def test_what_is_not_installed_cannot_start(script: str, tmp_path: Path) -> None:
    done = run(script, HOME=str(tmp_path))
    assert done.returncode == 1
    assert "docker/termux/install.sh" in done.stderr


def test_too_little_space_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f'. "{TERMUX}/common.sh"; need_space 999999999'],
        check=False, capture_output=True, text=True, env=os.environ | {"HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search(r"has \d+ MB free, and this needs about 999999999 MB", done.stderr)


PAGES = [ROOT / "docker" / "README.md", TERMUX / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.parent.name)
def test_pages_name_what_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    links = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    assert not [target for target in links if "://" not in target and not (page.parent / target).exists()]
    targets = set(re.findall(r"^([a-z0-9]+):.* ## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)`", text)) <= targets
    assert not [name for name in re.findall(r"docker/[\w./-]+\w", text) if not (ROOT / name).exists()]
