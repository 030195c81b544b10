"""The versions that a phone gets, in an environment that is thrown away: installed, asked, started.

    .venv/bin/python -m tests.containers.pins

No uvloop, no httptools, pydantic 2.12.5; only what Termux has of its own comes as wheels of this system.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

from fer_gateway.commands.drawn import draw_frames

from .locks import LOCK, environment, pins_for

CHECK = """
import importlib.util, json, pydantic
found = [name for name in ("uvloop", "httptools", "watchfiles") if importlib.util.find_spec(name)]
print(json.dumps({"found": found, "pydantic": pydantic.VERSION}))
"""


def main() -> None:
    """Install and ask; an assertion says what is not as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        python = install(home)
        told = json.loads(output([str(python), "-c", CHECK]))
        assert told == {"found": [], "pydantic": "2.12.5"}, told
        (home / "face.jpg").write_bytes(draw_frames(1)[0])
        gateway = str(python.with_name("fer-gateway"))
        print(output([gateway, "doctor"]))
        print(output([gateway, "analyze", str(home / "face.jpg")]))
        serve(gateway, home / "face.jpg")
    print("the gateway runs with a phone's versions")


def install(home: Path) -> Path:
    """A new environment with the lock's packages and the gateway; its Python."""
    venv.create(home / "venv", with_pip=True)
    python = home / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    phone = {pin.name: pin.version for pin in pins_for(environment("android", "aarch64", "3.14"))}
    here = pins_for(environment("linux", "x86_64", f"{sys.version_info[0]}.{sys.version_info[1]}"))
    for pin in here:
        if pin.name not in ("numpy", "opencv-python-headless"):  # Termux's own
            assert pin.version == phone[pin.name], f"a phone gets another {pin.name}"
    lock = home / "requirements.txt"
    lock.write_text("".join(pin.text for pin in here), "utf-8")
    subprocess.run(
        [*pip, "--only-binary", ":all:", "--require-hashes", "--requirement", str(lock)], check=True
    )
    subprocess.run([*pip, "--no-build-isolation", str(LOCK.parent)], check=True)
    return python


def serve(gateway: str, picture: Path) -> None:
    """Start it on any port, with the settings of a phone, and post a picture."""
    command = [gateway, "serve", "--port", "0", "--preset", "phone"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        try:
            with urllib.request.urlopen(
                f"{address}/api/v1/analyze", picture.read_bytes(), timeout=60
            ) as response:
                (face,) = json.load(response)["faces"]
        finally:
            server.terminate()
    print(f"{address}: one face, {face['label']}")


def output(command: list[str]) -> str:
    """What a command printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
