"""Is there a wheel of every locked package, for every system that the gateway is installed on?

    .venv/bin/python -m tests.containers.wheels

Asks the package registry; nothing is compiled anywhere, or this fails. Termux's own packages are named in
`TERMUX_PACKAGES`, and Android's only wheel comes from elsewhere (docker/termux/install.sh).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from .locks import TERMUX_PACKAGES, TERMUX_WHEELS, environment, pins_for

GLIBC = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux2014", "manylinux_2_17")
TARGETS = [
    ("linux", machine, python) for machine in ("aarch64", "x86_64") for python in ("3.11", "3.13", "3.14")
]


def main() -> None:
    """Ask for each target; the exit status is 1 where a wheel is missing."""
    targets = [*TARGETS, ("android", "aarch64", "3.14")]
    missing = [" ".join(target) for target in targets if not has_wheels(*target)]
    if missing:
        sys.exit(f"error: wheels are missing for {', '.join(missing)}, see above")
    print(f"every package has a wheel for: {', '.join(' '.join(target) for target in targets)}")


def has_wheels(system: str, machine: str, python: str) -> bool:
    """Whether pip finds them all; it looks, and downloads no more than it must."""
    pins = pins_for(environment(system, machine, python))
    if system == "android":
        pins = [pin for pin in pins if pin.name not in TERMUX_PACKAGES | TERMUX_WHEELS]
        platforms = [f"android_24_{'arm64_v8a' if machine == 'aarch64' else machine}"]
    else:
        platforms = [f"{glibc}_{machine}" for glibc in GLIBC]
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder, "requirements.txt")
        lock.write_text("".join(pin.text for pin in pins), "utf-8")
        print(f"--> {system} {machine}, Python {python}: {len(pins)} packages", flush=True)
        done = subprocess.run(
            [
                sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--dry-run",
                "--no-deps", "--ignore-installed", "--only-binary", ":all:", "--require-hashes",
                # Otherwise pip asks whether each fits the Python that it runs with itself.
                "--ignore-requires-python", "--python-version", python, "--target", folder,
                *(word for platform in platforms for word in ("--platform", platform)),
                "--requirement", str(lock),
            ],
            check=False,
        )  # fmt: skip
    return done.returncode == 0


if __name__ == "__main__":
    main()
