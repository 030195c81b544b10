"""Runs the gateway on an arm64 processor that QEMU emulates, in a Debian, as on a phone with `--proot`.

    sudo .venv/bin/python -m tests.containers.arm64 --root /var/tmp/fer-gateway-arm64

Needs root, `debootstrap` and `qemu-user-static`. The base system takes ten minutes to an hour and is kept.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from fer_gateway.commands.drawn import draw_frames

from .phone import copy_checkout
from .rehearse import Image, run_in, say, size_mb

RELEASE = "bookworm"
PACKAGES = "ca-certificates,python3,python3-venv"
BINFMT = Path("/proc/sys/fs/binfmt_misc")
SOURCE = "/mnt/source"
TARGET = "/opt/fer-gateway"


def main() -> None:
    """Prepare, install, `doctor`, `analyze`; the exit status is 1 where one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, required=True, help="folder of the emulated system, which is kept"
    )
    root: Path = parser.parse_args().root
    if (
        os.geteuid() != 0
        or shutil.which("debootstrap") is None
        or shutil.which("qemu-aarch64-static") is None
    ):
        sys.exit("error: this needs root and `apt-get install debootstrap qemu-user-static binfmt-support`.")
    register()
    bootstrap(root)
    image = Image(root, environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"})
    copy_checkout(root / SOURCE.lstrip("/"))
    (root / "srv" / "face.jpg").write_bytes(draw_frames(1)[0])
    run_in(image, ["bash", f"{SOURCE}/docker/termux/debian.sh", SOURCE, TARGET])
    print(f"installed environment: {size_mb(root / TARGET.lstrip('/'))} MB, with Debian {size_mb(root)} MB")
    for command in (["uname", "-sm"], [f"{TARGET}/bin/fer-gateway", "analyze", "/srv/face.jpg"]):
        say(" ".join(command))
        run_in(image, command)


def register() -> None:
    """Let this kernel start programs of arm64."""
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True)
    if not (BINFMT / "qemu-aarch64").exists():
        subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], check=True)


def bootstrap(root: Path) -> None:
    """The base system: unpacked here, configured by its own programs; made once."""
    if (root / "made").exists():
        return
    say(f"debootstrap {RELEASE} for arm64")
    subprocess.run(
        [
            "debootstrap", "--arch=arm64", "--foreign", "--variant=minbase", f"--include={PACKAGES}",
            RELEASE, str(root),
        ],
        check=True,
    )  # fmt: skip
    subprocess.run(["chroot", str(root), "/debootstrap/debootstrap", "--second-stage"], check=True)
    (root / "made").touch()


if __name__ == "__main__":
    main()
