"""Rehearses the installation on a phone, in a Debian that stands in for Termux.

    sudo .venv/bin/python -m tests.containers.phone native --root /var/tmp/fer-gateway-image

Not Android: what differs there (C library, habits of the kernel, versions of packages) only a phone shows.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from fer_gateway.commands.drawn import draw_frames

from .rehearse import CHECKOUT, Image, base_system, run_in

PREFIX = "/data/data/com.termux/files/usr"
HOME = "/data/data/com.termux/files/home"
SOURCE = f"{HOME}/checkout"
RELEASE = "trixie"

PKG = """#!/bin/bash
# Termux's `pkg`, in the words of Debian.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
case "$1" in
    update) exec apt-get update -qq ;;
    upgrade) exec apt-get upgrade -qq -y ;;
    install) ;;
    *) echo "pkg: $1?" >&2; exit 1 ;;
esac
packages=()
for name in "${@:3}"; do
    case "$name" in
        x11-repo) ;;
        python) packages+=(python3 python3-venv python-is-python3) ;;
        python-opencv-python) packages+=(opencv-data) ;;
        opencv-python) packages+=(python3-opencv) ;;
        python-*) packages+=("python3-${name#python-}") ;;
        proot-distro) packages+=(proot python3-venv) ;;
        *) packages+=("$name") ;;
    esac
done
[ "${#packages[@]}" = 0 ] || apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
case " $* " in
    *" opencv-python "*)
        mkdir -p "$PREFIX/share"
        ln -sfn /usr/share/opencv4 "$PREFIX/share/opencv4"
        ;;
    *" proot-distro "*)
        [ -e /opt/proot-distro ] || python3 -m venv /opt/proot-distro
        /opt/proot-distro/bin/pip install --quiet proot-distro
        ;;
esac
"""
PROOT_DISTRO = """#!/bin/bash
# The real one; only the image comes from a file, for no registry of images is at hand.
set -euo pipefail
if [ "$1" = install ]; then
    exec /opt/proot-distro/bin/proot-distro install --name "$3" /opt/debian.tar
fi
if [ "$1" = login ]; then
    set -- login --bind "$PIP_CERT:/mnt/certificates.crt" --env PIP_CERT=/mnt/certificates.crt "${@:2}"
fi
exec /opt/proot-distro/bin/proot-distro "$@"
"""
BATTERY = """#!/bin/sh
echo '{"percentage": 80, "temperature": 46, "plugged": "UNPLUGGED", "status": "DISCHARGING"}'
"""
PROOT = """#!/bin/bash
# Debian's proot, which lacks some options of Termux's.
words=()
for word in "$@"; do
    case "$word" in
        --kill-on-exit | --sysvipc | --link2symlink | --ashmem-memfd | -L) ;;
        *) words+=("$word") ;;
    esac
done
exec /usr/bin/proot "${words[@]}"
"""
STANDING_IN = {
    "proot": PROOT,
    "pkg": PKG,
    "proot-distro": PROOT_DISTRO,
    "termux-wake-lock": "#!/bin/sh\ntouch $HOME/awake\n",
    "termux-wake-unlock": "#!/bin/sh\nrm $HOME/awake\n",
    "termux-battery-status": BATTERY,
}


def main() -> None:
    """Prepare and run `termux.sh`; the exit status is 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=("native", "proot"))
    parser.add_argument(
        "--root", type=Path, required=True, help="folder to work in; the base system stays there"
    )
    parser.add_argument(
        "--keep", action="store_true", help="go on in what the last time left: packages are there"
    )
    arguments = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("error: this needs root and `debootstrap` (`apt-get install debootstrap`).")
    base = base_system(arguments.root, release=RELEASE)
    folder = arguments.root / f"phone-{arguments.method}"
    if not (arguments.keep and folder.exists()):
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(folder)], check=True)
    shutil.rmtree(folder / HOME.lstrip("/"), ignore_errors=True)
    furnish(folder)
    if arguments.method == "proot":
        archive = ["tar", "--create", "--file", str(folder / "opt/debian.tar"), "--directory", str(base)]
        subprocess.run([*archive, "--exclude=./dev/*", "--exclude=./proc/*", "."], check=True)
    image = Image(folder, environment=environment(), workdir=HOME)
    run_in(image, ["bash", f"{SOURCE}/tests/containers/termux.sh", arguments.method, SOURCE])


def environment() -> dict[str, str]:
    """What Termux sets; root is allowed for once, and pip takes the usual registry."""
    return {
        "PATH": f"{PREFIX}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PREFIX": PREFIX,
        "HOME": HOME,
        "TERMUX_VERSION": "0.119",
        "FER_ALLOW_ROOT": "1",
        "TERMUX_WHEELS": "",
    }


def furnish(folder: Path) -> None:
    """Termux's folders and commands, the checkout without its history, and a picture."""
    commands = folder / PREFIX.lstrip("/") / "bin"
    source = folder / SOURCE.lstrip("/")
    commands.mkdir(parents=True, exist_ok=True)
    for name, script in STANDING_IN.items():
        (commands / name).write_text(script, "utf-8")
        (commands / name).chmod(0o755)
    if not (commands / "bash").is_symlink():
        (commands / "bash").symlink_to("/bin/bash")
    copy_checkout(source)
    (folder / HOME.lstrip("/") / "face.jpg").write_bytes(draw_frames(1)[0])


def copy_checkout(folder: Path) -> None:
    """The files of the checkout, without its history and what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)


if __name__ == "__main__":
    main()
