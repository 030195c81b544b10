"""What an operator may choose: `FER_*` environment variables, frozen once read."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fer_gateway.models import PACKAGED_LANDMARKS, PACKAGED_MODEL
from fer_gateway.vision.header import MAX_BYTES, MAX_PIXELS

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""`Host` headers of browsers on this machine."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Addresses that only this machine reaches."""

WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - named, not bound
"""Addresses that stand for every address of this machine."""

Names = Annotated[tuple[str, ...], NoDecode]
"""In the environment: separated by commas."""


class Settings(BaseSettings):
    """Everything that can be set; each field reads the variable `FER_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="FER_", env_ignore_empty=True, frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on. `127.0.0.1` is this machine only."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """TCP port; 0 takes any free one."""

    model: Path | None = None
    """ONNX file with a card inside; without it the packaged one."""

    landmarks: Path | None = None
    """ONNX file of the landmark model; without it the packaged one."""

    providers: Names = ("CPUExecutionProvider",)
    """ONNX Runtime execution providers, the preferred first. Never chosen automatically."""

    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """ONNX Runtime threads inside one inference."""

    workers: Annotated[int | None, Field(ge=1, le=256)] = None
    """Pictures analysed at the same time; without it, as many as fit: processor cores / `threads`."""

    max_streams: Annotated[int, Field(ge=1)] = 8
    """WebSocket streams served at the same time; more are told to come back."""

    allowed_hosts: Names = LOCAL_NAMES
    """Values of the `Host` header that are served, without port (a guard against DNS rebinding)."""

    allowed_origins: Names = ()
    """Origins of other sites whose pages may call the API, for example `https://app.example.org`."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = MAX_BYTES
    """Largest image file in bytes."""

    max_pixels: Annotated[int, Field(ge=1)] = MAX_PIXELS
    """Largest image in pixels."""

    max_waiting: Annotated[int, Field(ge=1)] = 16
    """Pictures posted at the same time, those still arriving among them; more get 503 and `Retry-After`."""

    max_frame_bytes: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    """Largest camera frame of a stream in bytes."""

    receive_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    """Seconds that a client may take to send a whole request body."""

    hello_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that a new stream may stay silent before its `hello`."""

    send_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that a stream's client may take to read one message."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much the log on stderr tells."""

    @field_validator("providers", "allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def model_file(self) -> Path:
        """The ONNX file to open."""
        return self.model or PACKAGED_MODEL

    @property
    def landmarks_file(self) -> Path:
        """The ONNX file of the landmark model to open."""
        return self.landmarks or PACKAGED_LANDMARKS

    @property
    def worker_count(self) -> int:
        """Pictures analysed at the same time, so that workers x threads fit the processor."""
        return self.workers or max(1, usable_cores() // self.threads)

    @property
    def served_hosts(self) -> tuple[str, ...]:
        """`allowed_hosts` and the address listened on, unless that is a wildcard."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in WILDCARDS or name in self.allowed_hosts:
            return self.allowed_hosts
        return (*self.allowed_hosts, name)


def usable_cores() -> int:
    """Processor cores that this process may use (a container or `taskset` can give fewer than there are)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
