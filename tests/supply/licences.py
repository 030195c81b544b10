"""Licences of everything that is installed, and whether the README names the copyleft ones among them.

`python -m tests.supply.licences` (`make licences`): a table, and exit status 1 where one is not named.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv" / "audit" / "bin"
COPYLEFT = re.compile(
    r"GPL|GNU|MPL|Mozilla|EPL|Eclipse|CDDL|EUPL|OSL|CeCILL|Reciprocal|CC-BY-SA|SSPL", re.IGNORECASE
)
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<licence>[^|]+) \|", re.MULTILINE)
HEADING = "## Licences of others"


@dataclass(frozen=True, order=True)
class Package:
    """One package and the licence that its maker states."""

    name: str
    version: str
    licence: str

    @property
    def is_copyleft(self) -> bool:
        """Whether changes to it must stay under its licence; where one of several may be chosen, never."""
        return all(COPYLEFT.search(choice) for choice in re.split(r"\bOR\b", self.licence))

    @property
    def is_known(self) -> bool:
        """Whether a licence is stated at all."""
        return self.licence.strip().upper() not in ("", "UNKNOWN", "UNLICENSED")


def python_packages() -> list[Package]:
    """What is installed for the gateway, training and tests, as `pip-licenses` reads it."""
    command = [str(TOOLS / "pip-licenses"), "--python", sys.executable, "--from", "mixed", "--format", "json"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    packages = [Package(entry["Name"], entry["Version"], entry["License"]) for entry in listed]
    return [package for package in packages if package.name != "fer-gateway"]


def npm_packages(lock: Path = ROOT / "package-lock.json") -> list[Package]:
    """What the lock of npm lists."""
    entries = json.loads(lock.read_text("utf-8"))["packages"]
    return [
        Package(path.rpartition("node_modules/")[2], entry["version"], entry.get("license", ""))
        for path, entry in entries.items()
        if path
    ]


def named_in(readme: str) -> dict[str, str]:
    """Package to licence in the table of the README."""
    _, found, section = readme.partition(HEADING)
    if not found:
        return {}
    return {row["name"].lower(): row["licence"].strip() for row in ROW.finditer(section.split("\n#")[0])}


def faults(packages: Iterable[Package], named: Iterable[str]) -> list[str]:
    """What speaks against these packages."""
    known = set(named)
    return [
        f"`{package.name}` has {why}: take another package, or decide on it and name it in the README"
        for package in packages
        for why in (
            "no known licence" if not package.is_known else f"the copyleft licence `{package.licence}`",
        )
        if (package.is_copyleft or not package.is_known) and package.name.lower() not in known
    ]


def table(packages: Sequence[Package]) -> str:
    """Packages by licence."""
    by_licence: dict[str, list[str]] = {}
    for package in packages:
        by_licence.setdefault(package.licence, []).append(f"{package.name} {package.version}")
    return "\n".join(f"{licence}\n    {', '.join(names)}" for licence, names in sorted(by_licence.items()))


def main() -> int:
    """List, and judge."""
    packages = sorted([*python_packages(), *npm_packages()], key=lambda package: package.name.lower())
    found = faults(packages, named_in((ROOT / "README.md").read_text("utf-8")))
    print(table(packages))
    copyleft = [package.name for package in packages if package.is_copyleft]
    print(f"\n{len(packages)} packages, {len(copyleft)} of them copyleft: {', '.join(copyleft)}")
    for fault in found:
        print(f"error: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
