"""What the targets `licences` and `audit` decide by, and that it holds for what is installed."""

import json
import re
import tomllib
from importlib.metadata import distributions

import pytest

from .audit import CLEAN, LOCKS, UNKNOWN, VULNERABLE, judge_lock
from .licences import ROOT, Package, faults, named_in, npm_packages

NAMED = named_in((ROOT / "README.md").read_text("utf-8"))


@pytest.mark.parametrize(
    ("licence", "is_copyleft"),
    [
        ("MIT", False),
        ("BSD-3-Clause AND 0BSD AND MIT", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("MIT-CMU", False),
        ("Python Software Foundation License", False),
        ("MPL-2.0 AND MIT", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("LGPL-2.1-or-later", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("AGPL-3.0-only", True),
        ("EPL-2.0", True),
        ("MIT OR GPL-2.0-only", False),
        ("MPL-2.0 OR GPL-2.0-only", True),
    ],
)
def test_what_is_copyleft(licence: str, is_copyleft: bool) -> None:
    assert Package("a", "1", licence).is_copyleft is is_copyleft


def test_only_what_is_named_may_be_copyleft() -> None:
    readme = "## Licences of others\n\n| `Named` | GPL | x |\n\n## More\n| `later` | GPL | x |"
    packages = [Package(name, "1", "GPL-3.0") for name in ("named", "later", "other")]
    found = faults(
        [*packages, Package("free", "1", "MIT"), Package("silent", "1", "UNKNOWN")], named_in(readme)
    )
    assert [re.findall("`(.*?)`", fault)[0] for fault in found] == ["later", "other", "silent"]


def test_no_installed_package_is_copyleft_but_those_named() -> None:
    """By all that their metadata say, classifiers too."""
    packages = []
    for distribution in distributions():
        said = distribution.metadata
        texts = [said["License-Expression"] or "", (said["License"] or "").split("\n")[0][:100]]
        texts += [line for line in said.get_all("Classifier", ()) if line.startswith("License ::")]
        packages.append(Package(said["Name"], distribution.version, "; ".join(filter(None, texts)) or "MIT"))
    assert len(packages) > 50
    assert faults([*packages, *npm_packages()], NAMED) == []


def test_everything_named_is_there() -> None:
    installed = {distribution.metadata["Name"].lower() for distribution in distributions()}
    installed |= {package.name for package in npm_packages()}
    assert NAMED.keys() <= installed


@pytest.mark.parametrize(
    ("packages", "outcome"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], CLEAN),
        ([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}], UNKNOWN),
        (
            [
                {"name": "b", "skip_reason": "not found"},
                {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
            ],
            VULNERABLE,
        ),
    ],
)
def test_what_an_audit_comes_to(packages: list[dict[str, object]], outcome: int) -> None:
    assert judge_lock("requirements.txt", packages) == outcome


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE | re.IGNORECASE)[1:]
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==[^\s;]+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert "://" not in text


def test_every_npm_package_has_a_hash_and_its_own_version() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert lock["version"] == project["version"]
