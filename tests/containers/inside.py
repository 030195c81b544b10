"""Tries an image as an engine would run it; `rehearse` starts it in mounts and a network of its own.

Its argument is an `Image` as JSON.
"""

import fcntl
import json
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HEALTHY_WITHIN_S = 180
STOPPED_WITHIN_S = 30
ADDRESS = "http://127.0.0.1:8000"

DRAW_FACE = """
import sys
from fer_gateway.commands.drawn import draw_frames
sys.stdout.buffer.write(draw_frames(1)[0])
"""


class Container:
    """Commands in the image, as its user, with its environment, and no way to gain rights."""

    def __init__(self, image: dict[str, Any]) -> None:
        self.folder = Path(image["folder"])
        environment = [f"{name}={value}" for name, value in image["environment"].items()]
        self._prefix = [
            "setpriv", "--no-new-privs", "chroot", f"--userspec={image['user']}", str(self.folder),
            "env", "-i", *environment,
            "sh", "-c", 'cd "$0" && exec "$@"', image["workdir"],
        ]  # fmt: skip

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """A process that goes on."""
        return subprocess.Popen([*self._prefix, *command])

    def run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        """What a command printed, and how it ended."""
        return subprocess.run([*self._prefix, *command], check=False, capture_output=True, timeout=120)

    def output(self, code: str) -> bytes:
        """What a Python program printed."""
        done = self.run(["python", "-c", code])
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def main() -> None:
    """Mount, start, ask, stop; an assertion says what is not as it should be."""
    image: dict[str, Any] = json.loads(sys.argv[1])
    container = Container(image)
    prepare(container.folder, image["user"])
    server = container.start(image["serve"])
    try:
        wait_until_healthy(container, server, image["health"])
        check_rights(container, server, image["user"])
        check_answers(container)
    finally:
        server.terminate()
        status = server.wait(STOPPED_WITHIN_S)
    # Once it has shut down in order, uvicorn passes the signal on; to the first process of a container.
    assert status in (0, -signal.SIGTERM), f"told to stop, the gateway ended with `{status}`"
    print("stopped in order; the image works")


def prepare(folder: Path, user: str) -> None:
    """The root read-only; what engines mount: `/proc`, `/dev`, a volume, a temporary folder; a loopback."""
    owner, group = user.split(":")
    for mount in (
        ["--bind", str(folder), str(folder)],
        ["-o", "remount,bind,ro", str(folder)],
        ["-t", "proc", "proc", f"{folder}/proc"],
        ["--rbind", "/dev", f"{folder}/dev"],
        ["-t", "tmpfs", "-o", "size=16m,mode=1777", "tmpfs", f"{folder}/tmp"],
        ["-t", "tmpfs", "-o", f"size=16m,mode=0700,uid={owner},gid={group}", "tmpfs", f"{folder}/data"],
    ):
        subprocess.run(["mount", *mount], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        up_and_running = struct.pack("16sh", b"lo", 0x1 | 0x40)
        fcntl.ioctl(probe, 0x8914, up_and_running)  # SIOCSIFFLAGS


def wait_until_healthy(container: Container, server: subprocess.Popen[bytes], health: list[str]) -> None:
    """Ask as `HEALTHCHECK` does."""
    started_s = time.monotonic()
    while container.run(health).returncode != 0:
        assert server.poll() is None, f"the gateway ended with `{server.returncode}`"
        assert time.monotonic() - started_s < HEALTHY_WITHIN_S, "the gateway is not healthy"
        time.sleep(0.5)
    print(f"healthy after {time.monotonic() - started_s:.0f} s")


def check_rights(container: Container, server: subprocess.Popen[bytes], user: str) -> None:
    """Not root, no capability, none to be gained, and nothing to write to but the volume."""
    lines = (container.folder / f"proc/{server.pid}/status").read_text("utf-8").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    owner, group = user.split(":")
    assert status["Uid"].split() == [owner] * 4
    assert status["Gid"].split() == [group] * 4
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    for place in ("/", "/etc", "/opt/fer-gateway", "/usr"):
        done = container.run(["touch", f"{place}/written"])
        assert done.returncode != 0
    assert b"Read-only file system" in container.run(["touch", "/tmp/../written"]).stderr
    assert container.run(["touch", "/data/written"]).returncode == 0
    print(f"runs as {user}, without rights, on a read-only root")


def check_answers(container: Container) -> None:
    """Without a token nothing, with one an answer."""
    picture = container.output(DRAW_FACE)
    status, _ = post(picture, {})
    assert status == 401, status
    added = container.run(["fer-gateway", "devices", "add", "rehearsal", "--scope", "analyze", "--days", "1"])
    token = added.stdout.decode().strip()
    assert token, added.stderr.decode()
    status, answer = post(picture, {"Authorization": f"Bearer {token}"})
    assert status == 200, answer
    (face,) = answer["faces"]
    print(f"one face, {face['label']} {face['confidence']:.2f}, {answer['timing']['total_ms']:.0f} ms")


def post(picture: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an analysis."""
    request = urllib.request.Request(f"{ADDRESS}/api/v1/analyze", picture, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


if __name__ == "__main__":
    main()
