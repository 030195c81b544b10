"""Runs the steps of the Dockerfile in a Debian made by debootstrap, then starts what comes out.

    sudo .venv/bin/python -m tests.containers.rehearse --root /var/tmp/fer-gateway-image

No container engine is needed, only root and debootstrap. `inside` is the second half: the image read-only, a
network and processes of its own, no rights; then health, a token, a picture, and the signal to stop.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .dockerfile import Instruction, Stage, read_stages

CHECKOUT = Path(__file__).parent.parent.parent
DOCKERFILE = CHECKOUT / "docker" / "Dockerfile"
MAX_ENVIRONMENT_MB = 350
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
LENT_CERTIFICATES = "/var/lent-certificates.crt"
"""This machine's, for pip: a network may have an authority of its own."""
Ignore = Callable[[str, list[str]], Iterable[str]]
NOT_COPIED: Ignore = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass
class Image:
    """A stage while its steps are run: a file system, and what `ENV`, `USER` and `WORKDIR` have set."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    user: str = "0:0"
    workdir: str = "/"
    serve: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def main() -> None:
    """Build and try; the exit status is 1 where a step fails or the environment is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, required=True, help="folder to work in; the base system stays there"
    )
    root: Path = parser.parse_args().root
    if os.geteuid() != 0:
        sys.exit("error: this needs root (chroot, mounts); run it with `sudo`.")
    if shutil.which("debootstrap") is None:
        sys.exit("error: `debootstrap` is missing; `apt-get install debootstrap` brings it.")
    stages = read_stages(DOCKERFILE)
    base = base_system(root, release=stages[0].base.split(":")[1].split("-")[0])
    built: dict[str, Image] = {}
    for stage in stages:
        built[stage.name] = run_stage(stage, root / f"stage-{stage.name or 'final'}", base, built)
    image = built[""]
    megabytes = size_mb(image.folder / "opt" / "fer-gateway")
    print(f"installed environment: {megabytes} MB (`du -sm /opt/fer-gateway`)")
    print(f"with Debian: {size_mb(image.folder)} MB, before an engine compresses it")
    if megabytes > MAX_ENVIRONMENT_MB:
        sys.exit(
            f"error: the environment has more than {MAX_ENVIRONMENT_MB} MB; see `du -sm` of its packages."
        )
    try_out(image)


def base_system(root: Path, *, release: str) -> Path:
    """What `debian:RELEASE-slim` is made of; made once."""
    folder = root / f"debian-{release}"
    if not (folder / "made").exists():
        root.mkdir(parents=True, exist_ok=True)
        say(f"debootstrap {release}")
        subprocess.run(["debootstrap", "--variant=minbase", release, str(folder)], check=True)
        # As in the images of Debian: nothing is lost if a machine stops meanwhile.
        (folder / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n", "utf-8")
        (folder / "made").touch()
    return folder


def run_stage(stage: Stage, folder: Path, base: Path, built: dict[str, Image]) -> Image:
    """A fresh copy of the base with every step run on it."""
    say(f"FROM {stage.base}: {base}")
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(folder)], check=True)
    image = Image(folder)
    for instruction in stage.instructions:
        say(f"{instruction.name} {instruction.text}")
        run_step(instruction, image, built)
    return image


def run_step(step: Instruction, image: Image, built: dict[str, Image]) -> None:
    """One instruction; those that tell engines something (`EXPOSE`, `VOLUME`) change nothing here."""
    match step.name:
        case "RUN":
            run_in(image, ["/bin/sh", "-ec", step.text])
        case "COPY":
            copy_all(step, image, built)
        case "WORKDIR":
            image.workdir = step.text
            (image.folder / step.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "ENV":
            image.environment |= step.pairs
        case "USER":
            image.user = step.text
        case "ENTRYPOINT" | "CMD":
            image.serve += step.words
        case "HEALTHCHECK":
            image.health = Instruction("CMD", step.text.removeprefix("CMD "), {}, step.line).words
        case other:
            assert other in ("EXPOSE", "VOLUME", "LABEL"), f"`{other}`: teach `rehearse.py` what it does"


def copy_all(step: Instruction, image: Image, built: dict[str, Image]) -> None:
    """What a `COPY` names, from the checkout or from another stage."""
    *names, target = step.words
    for name in names:
        if "from" in step.flags:
            copy(built[step.flags["from"]].folder / name.lstrip("/"), image, target)
        else:
            copy(CHECKOUT / name, image, target, ignore=NOT_COPIED)


def copy(source: Path, image: Image, target: str, ignore: Ignore | None = None) -> None:
    """A file into a folder, or a folder's content."""
    place = image.folder / (Path("/") / image.workdir / target).relative_to("/")
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True, ignore=ignore)
    else:
        shutil.copy2(source, place / source.name if target.endswith("/") else place)


def run_in(image: Image, command: list[str]) -> None:
    """Run a command in an image that may be written to, with this machine's network."""
    own = {"PIP_CERT": LENT_CERTIFICATES} if Path(CERTIFICATES).exists() else {}
    mounts = []
    lent = {
        "/etc/resolv.conf": "/etc/resolv.conf",
        "/etc/hosts": "/etc/hosts",
        CERTIFICATES: LENT_CERTIFICATES,
    }
    for here, there in lent.items():
        if Path(here).exists():
            (image.folder / there.lstrip("/")).touch()
            mounts.append(f"mount --bind {here} {image.folder}{there}")
    script = "; ".join(
        [
            "set -e",
            f"mount -t proc proc {image.folder}/proc",
            f"mount --rbind /dev {image.folder}/dev",
            *mounts,
        ]
    )
    inner = ["env", "-i", *(f"{name}={value}" for name, value in (image.environment | own).items())]
    subprocess.run(
        [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", f'{script}; exec "$@"', "sh",
            "chroot", f"--userspec={image.user}", str(image.folder), *inner,
            "sh", "-c", 'cd "$0" && exec "$@"', image.workdir, *command,
        ],
        check=True,
    )  # fmt: skip


def try_out(image: Image) -> None:
    """The second half, in a network, mounts and processes of its own."""
    say("the image: read-only, without rights, in a network of its own")
    subprocess.run(
        [
            "unshare", "--mount", "--pid", "--net", "--fork", "--kill-child",
            sys.executable, "-m", "tests.containers.inside", json.dumps(asdict(image), default=str),
        ],
        check=True,
        cwd=CHECKOUT,
    )  # fmt: skip


def size_mb(folder: Path) -> int:
    """What `du -sm` says."""
    done = subprocess.run(["du", "-sm", str(folder)], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[0])


def say(text: str) -> None:
    """Show which step comes."""
    print(f"--> {text}", flush=True)


if __name__ == "__main__":
    main()
