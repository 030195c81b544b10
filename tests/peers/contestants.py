"""The libraries that are measured, each in a process of its own that answers frame by frame.

A process is told the number of a frame, and answers with milliseconds and faces. All frames were read before.
Milliseconds are of processor time, all threads together: on a core of its own that is the time on the clock,
and on a busy one it does not grow with what else runs.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from fer_gateway.vision.geometry import Box

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Face:
    """A face that was found, and what it was taken for."""

    box: Box
    """In pixels, framed as that library does."""
    label: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """To one frame."""

    ms: float
    faces: tuple[Face, ...]


class Contestant:
    """A process with one library in one mode."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        """Start it, and return once it has read its frames and its models."""
        self.name = name
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        self.version = str(self._read()["version"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def ask(self, frame: int) -> Answer:
        """What it sees in the frame of this number, and how long it took."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{frame}\n")
        self._process.stdin.flush()
        answer = self._read()
        if answer.get("error"):
            raise RuntimeError(f"{self.name}: {answer['error']}")
        return Answer(answer["ms"], tuple(Face(Box(*face["box"]), face["label"]) for face in answer["faces"]))

    @property
    def peak_mb(self) -> float:
        """The most memory that it ever had, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e6

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # libraries say this and that
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f"{self.name} ended with {self._process.wait(30)}")
