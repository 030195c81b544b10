"""A real gateway in a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

START_WITHIN_S = 180.0
STOP_WITHIN_S = 15.0


class GatewayProcess:
    """`fer-gateway serve` on a free port that it keeps when it starts again."""

    def __init__(self, *, folder: Path | None = None, environment: dict[str, str] | None = None) -> None:
        """Prepare.

        Args:
            folder: holds another `fer_gateway` package to run instead of the installed one.
            environment: variables to set.
        """
        self._environment = os.environ | (environment or {})
        if folder is not None:
            self._environment["PYTHONPATH"] = str(folder)
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://localhost:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._process is not None

    def start(self) -> Self:
        """Start, and return when it is ready."""
        command = [sys.executable, "-m", "fer_gateway", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        greeting = self._process.stdout.readline()
        assert "serves at" in greeting, f"the gateway said {greeting!r} and ended with {self._process.poll()}"
        self.port = int(greeting.rsplit(":", 1)[1])
        deadline = time.monotonic() + START_WITHIN_S
        while not self._is_ready():
            assert time.monotonic() < deadline, f"the gateway was not ready within {START_WITHIN_S} s"
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """End it as an operator does; hard when it does not follow."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._process is not None
        self._process.kill()
        self.stop()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v1/ready").is_success
        except httpx.TransportError:
            return False
