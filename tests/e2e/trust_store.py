"""A throw-away home with a certificate store, as Chromium on Linux reads it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def certutil() -> str:
    """The tool that fills the store; without it the tests of trust are skipped, in CI they fail."""
    path = shutil.which("certutil")
    if path is None:
        reason = "NO TESTS OF TRUST: install `certutil` (Debian: `libnss3-tools`, Fedora: `nss-tools`)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def trusting_home(home: Path, *authorities: Path) -> dict[str, str | float | bool]:
    """The environment of a browser that trusts these certificates, as the steps for Linux say."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    tool = certutil()
    subprocess.run([tool, "-d", f"sql:{store}", "-N", "--empty-password"], check=True, capture_output=True)
    for number, authority in enumerate(authorities):
        options = ["-A", "-t", "C,,", "-n", f"fer-gateway {number}", "-i", str(authority)]
        subprocess.run([tool, "-d", f"sql:{store}", *options], check=True, capture_output=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**kept, "HOME": str(home)}
