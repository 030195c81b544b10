"""What an operator may choose: `FER_*` environment variables, frozen once read."""

import ipaddress
import os
import re
import socket
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fer_gateway.models import PACKAGED_LANDMARKS, PACKAGED_MODEL
from fer_gateway.presets import PRESETS, PresetName
from fer_gateway.vision.header import MAX_BYTES, MAX_PIXELS

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""`Host` headers of browsers on this machine."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Addresses that only this machine reaches."""

WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - named, not bound
"""Addresses that stand for every address of this machine."""

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""What a name may be made of."""

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

    preset: PresetName = "computer"
    """Defaults for a kind of machine: `computer`, `phone`, or `saver` for a phone on its battery."""

    max_fps: Annotated[float | None, Field(ge=1, le=1000)] = None
    """Camera frames a second of all streams together; without it no cap."""

    battery: bool = False
    """Lower the cap while the battery is low or hot, as `termux-battery-status` tells."""

    max_streams: Annotated[int, Field(ge=1)] = 8
    """WebSocket streams served at the same time; more are told to come back."""

    allowed_hosts: Names = LOCAL_NAMES
    """Values of the `Host` header that are served, without port (a guard against DNS rebinding)."""

    allowed_origins: Names = ()
    """Origins of other sites whose pages may call the API, for example `https://app.example.org`."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = MAX_BYTES
    """Largest image file in bytes."""

    max_batch_bytes: Annotated[int, Field(ge=1024)] = 4 * MAX_BYTES
    """Largest form of several images in bytes; each of them may have `max_body_bytes`."""

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

    ping_timeout_s: Annotated[float, Field(gt=0)] = 20.0
    """Seconds without a sign of life after which a stream is pinged, and as many again until it is ended."""

    analysis_timeout_s: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one analysis; one that takes longer hangs, and another thread takes its place."""

    data: Path | None = None
    """Folder of keys and paired devices; without it `~/.local/share/fer-gateway`."""

    devices: Path | None = None
    """File of paired devices, which several gateways may share; without it `devices.json` in the folder."""

    lan: bool = False
    """Serve the local network: HTTPS by an authority of the gateway's own, on every address."""

    lan_name: Annotated[str, Field(pattern=f"^{LABEL.pattern}$")] = "fer-gateway"
    """Name in the local network, without `.local`."""

    trust_port: Annotated[int, Field(ge=0, le=65535)] = 8001
    """TCP port of the page from which devices take the authority; 0 takes any free one."""

    tls_cert: Path | None = None
    """PEM file of a certificate to serve HTTPS with, the key in it or in `tls_key`."""

    tls_key: Path | None = None
    """PEM file of the certificate's key."""

    require_token: bool = False
    """Ask this machine for a token too. Others are always asked."""

    token_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Days after which a token expires."""

    max_requests_per_minute: Annotated[int, Field(ge=1)] = 600
    """Requests that one device may send each minute; more get 429 and `Retry-After`."""

    max_streams_per_client: Annotated[int, Field(ge=1)] = 4
    """Camera streams that one device may open at the same time."""

    trusted_proxies: Names = ()
    """Addresses of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""

    drain_s: Annotated[float, Field(ge=0, le=300)] = 5.0
    """Seconds that pictures and frames under way get once the gateway is told to stop."""

    events: bool = False
    """Whether `/api/v1/events` tells every result to clients with a token."""

    log_format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line, with every request."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much the log on stderr tells."""

    @field_validator("providers", "allowed_hosts", "allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _as_browsers_say_it(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin.lower().rstrip("/") for origin in origins)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, values: dict[str, Any]) -> dict[str, Any]:
        preset = values.get("preset")
        return {**PRESETS.get(preset, {}), **values} if isinstance(preset, str) else values

    @model_validator(mode="before")
    @classmethod
    def _open_to_the_network(cls, values: dict[str, Any]) -> dict[str, Any]:
        is_lan = str(values.get("lan", "")).lower() in ("1", "on", "t", "true", "y", "yes")
        return {"host": "0.0.0.0", **values} if is_lan else values  # noqa: S104 - what `lan` is for

    @model_validator(mode="after")
    def _key_of_a_certificate(self) -> Self:
        if self.tls_key is not None and self.tls_cert is None:
            raise ValueError("`--tls-key` needs `--tls-cert`, the certificate that it belongs to")
        return self

    @property
    def model_file(self) -> Path:
        """The ONNX file to open."""
        return self.model or PACKAGED_MODEL

    @property
    def landmarks_file(self) -> Path:
        """The ONNX file of the landmark model to open."""
        return self.landmarks or PACKAGED_LANDMARKS

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the address listened on."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def asks_everybody(self) -> bool:
        """Whether this machine needs a token too: others cannot be told from it, or it was wished."""
        return not self.is_loopback or self.lan or self.require_token or bool(self.trusted_proxies)

    @property
    def lan_names(self) -> tuple[str, ...]:
        """Names that devices of the local network may know this machine by."""
        host_name = socket.gethostname().partition(".")[0].lower()
        known = [self.lan_name, host_name] if LABEL.fullmatch(host_name) else [self.lan_name]
        return tuple(f"{name}.local" for name in dict.fromkeys(known))

    @property
    def data_folder(self) -> Path:
        """The folder of keys and paired devices."""
        if self.data is not None:
            return self.data.expanduser()
        return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "fer-gateway"

    @property
    def devices_file(self) -> Path:
        """The file of paired devices."""
        return self.devices.expanduser() if self.devices is not None else self.data_folder / "devices.json"

    @property
    def worker_count(self) -> int:
        """Pictures analysed at the same time, so that workers x threads fit the processor."""
        return self.workers or max(1, usable_cores() // self.threads)

    @property
    def served_hosts(self) -> tuple[str, ...]:
        """`allowed_hosts`, local names with `lan`, and the address listened on, unless it is a wildcard."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        known = [*self.allowed_hosts, *(self.lan_names if self.lan else ())]
        return tuple(known) if self.host in WILDCARDS or name in known else (*known, name)


def usable_cores() -> int:
    """Processor cores that this process may use (a container or `taskset` can give fewer than there are)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
