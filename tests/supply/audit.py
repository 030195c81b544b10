"""Known vulnerabilities of all locked packages, as far as the registries tell them.

`python -m tests.supply.audit` (`make audit`): exit status 1 where there are some, 2 where none are told.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .licences import ROOT, TOOLS

LOCKS = ("requirements-serve.txt", "requirements-test.txt", "requirements-node.txt", "requirements-audit.txt")
ANSWER_WITHIN_S = 300
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


def audit_lock(lock: str) -> int:
    """One lock of Python packages, by `pip-audit`."""
    command = [
        str(TOOLS / "pip-audit"),
        "--requirement",
        lock,
        "--require-hashes",
        "--no-deps",
        "--disable-pip",
    ]
    command += ["--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=ANSWER_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        return not_answered(lock, f"no answer within {ANSWER_WITHIN_S} s")
    if not done.stdout.startswith("{"):
        return not_answered(lock, (done.stderr.strip().splitlines() or ["nothing was said"])[-1])
    return judge_lock(lock, json.loads(done.stdout)["dependencies"])


def judge_lock(lock: str, packages: Sequence[Mapping[str, Any]]) -> int:
    """What `pip-audit` found out about the packages of a lock."""
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    for package in packages:
        for found in package.get("vulns", ()):
            fixed = ", ".join(found["fix_versions"]) or "none yet"
            print(f"{lock}: {package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    if any(package.get("vulns") for package in packages):
        return VULNERABLE
    if skipped:
        return not_answered(lock, f"nothing is known about {len(skipped)} of {len(packages)} packages")
    print(f"{lock}: no known vulnerability in {len(packages)} packages")
    return CLEAN


def audit_npm() -> int:
    """The lock of npm, by `npm audit`."""
    name = "package-lock.json"
    command = ["npm", "audit", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=ANSWER_WITHIN_S
    )
    answer = json.loads(done.stdout or "{}")
    if "vulnerabilities" not in answer:
        return not_answered(name, answer.get("message") or done.stderr)
    for package, found in answer["vulnerabilities"].items():
        print(f"{name}: {package}: {found['severity']}")
    if answer["vulnerabilities"]:
        return VULNERABLE
    print(f"{name}: no known vulnerability in {answer['metadata']['dependencies']['total']} packages")
    return CLEAN


def not_answered(lock: str, reason: str) -> int:
    """Say that a lock was not audited."""
    print(f"{lock}: *** NOT AUDITED: the registry does not tell vulnerabilities ({reason.strip()}). ***")
    return UNKNOWN


def main() -> int:
    """Audit everything, and say the worst of it."""
    outcomes = [*map(audit_lock, LOCKS), audit_npm()]
    if VULNERABLE in outcomes:
        return VULNERABLE
    if UNKNOWN in outcomes:
        print("Run it again where the registry answers; a mirror often keeps packages only.", file=sys.stderr)
        return UNKNOWN
    return CLEAN


if __name__ == "__main__":
    sys.exit(main())
