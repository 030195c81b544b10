"""The other libraries, from their registries into folders of their own that nothing else uses."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FER = ("fer==25.10.3",)
FER_NEEDS = ("tensorflow-cpu==2.21.0", "opencv-python-headless>=4.10,<5", "pillow", "requests")
"""`fer` itself asks for packages that only its videos and another detector need."""

HUMAN = ("@vladmandic/human@3.3.6", "@tensorflow/tfjs-core", "@tensorflow/tfjs-converter",
         "@tensorflow/tfjs-backend-wasm", "jpeg-js")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installed:
    """Where they are."""

    fer_python: Path
    human_modules: Path


def install(folder: Path) -> Installed:
    """Install what is not there yet; 2 GB, minutes."""
    python, modules = folder / "fer" / "bin" / "python", folder / "human"
    if not (folder / "fer.done").exists():
        _run(sys.executable, "-m", "venv", "--clear", str(folder / "fer"))
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        _run(*pip, *FER_NEEDS)
        _run(*pip, "--no-deps", *FER)
        _run(str(python), "-c", "from fer.fer import FER; FER()")
        (folder / "fer.done").touch()
    if not (folder / "human.done").exists():
        modules.mkdir(parents=True, exist_ok=True)
        (modules / "package.json").write_text('{"private": true}\n', "utf-8")
        _run("npm", "install", "--prefix", str(modules), "--no-audit", "--no-fund", "--silent", *HUMAN)
        (folder / "human.done").touch()
    return Installed(python, modules)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
