"""Bills of materials in CycloneDX: the installed gateway, all that development installs, npm's packages.

`python -m tests.supply.sbom` (`make sbom`) writes them to `build/sbom` and counts what is in them.
"""

import json
import subprocess
import sys
from pathlib import Path

from .licences import ROOT, TOOLS

FOLDER = ROOT / "build" / "sbom"
ENVIRONMENTS = {"gateway": ROOT / ".venv" / "runtime", "development": ROOT / ".venv"}


def main() -> int:
    """Write, validate and count."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, environment in ENVIRONMENTS.items():
        path = FOLDER / f"{name}.cdx.json"
        command = [str(TOOLS / "cyclonedx-py"), "environment", str(environment / "bin" / "python")]
        command += ["--pyproject", "pyproject.toml", "--output-reproducible", "--output-file", str(path)]
        subprocess.run(command, check=True, cwd=ROOT)
        show(path)
    path = FOLDER / "web.cdx.json"
    npm = ["npm", "sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application", "--package-lock-only"]
    done = subprocess.run(npm, check=True, cwd=ROOT, capture_output=True, text=True)
    path.write_text(done.stdout, "utf-8")
    show(path)
    return 0


def show(path: Path) -> None:
    """Count what is in it, and refuse one in which nothing is."""
    bill = json.loads(path.read_text("utf-8"))
    components = bill["components"]
    licensed = sum(bool(component.get("licenses")) for component in components)
    edges = sum(len(entry.get("dependsOn", ())) for entry in bill["dependencies"])
    print(
        f"{path.relative_to(ROOT)}: {bill['bomFormat']} {bill['specVersion']}, {len(components)} components, "
        f"{licensed} with a licence, {edges} dependencies between them"
    )
    if not (components and edges):
        sys.exit(f"error: `{path}` is empty.")


if __name__ == "__main__":
    sys.exit(main())
