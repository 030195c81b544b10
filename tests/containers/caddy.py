"""A real Caddy with the shipped Caddyfile, on loopback."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

CADDYFILE = Path(__file__).parents[2] / "docker" / "Caddyfile"
START_WITHIN_S = 60.0


@contextmanager
def caddy_before(ports: Sequence[int], folder: Path) -> Iterator[str]:
    """Caddy in front of the gateways on these ports; the address of the page.

    `folder` then holds `root.crt`, which clients must trust, and `log`.
    """
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("caddy is not installed: `apt-get install caddy`")
    own_ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            own_ports.append(probe.getsockname()[1])
    # Only where it listens differs from what is shipped.
    http, https = own_ports
    here = ("default_bind 127.0.0.1", f"http_port {http}", f"https_port {https}", "skip_install_trust")
    text = CADDYFILE.read_text("utf-8")
    text = text.replace("\tadmin off\n", "\tadmin off\n" + "".join(f"\t{line}\n" for line in here))
    (folder / "Caddyfile").write_text(text, "utf-8")
    environment = {
        "FER_SITE": "localhost",
        "FER_GATEWAY": " ".join(f"127.0.0.1:{port}" for port in ports),
        "HOME": str(folder),
    }
    command = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        deadline = time.monotonic() + START_WITHIN_S
        while not (root := next(folder.rglob("local/root.crt"), None)):
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (folder / "root.crt").write_bytes(root.read_bytes())
        yield f"https://localhost:{https}"
    finally:
        process.terminate()
        process.wait(30)
