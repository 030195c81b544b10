"""Clients that take all that a gateway gives: a frame for each credit, stamped when the credit arrives."""

import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from fer_gateway.api.protocol import Frame

CAMERA_FPS = 30.0
"""Frames of a client's clip a second; only which one is sent depends on it."""


@dataclass
class Seen:
    """What one client saw: when each result came, and how old it was."""

    arrived_s: list[float] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)


async def load(url: str, clips: Sequence[Sequence[bytes]], seconds: float) -> list[Seen]:
    """Stream to `url` (`ws://...`) for so long, one client for each clip, a sequence of JPEG files."""
    async with AsyncExitStack() as stack:
        clients = []
        for clip in clips:  # one after the other: a gateway greets only so many at the same time
            socket = await stack.enter_async_context(
                connect(url, subprotocols=[Subprotocol("fer.v1")], compression=None, proxy=None)
            )
            await socket.send('{"type":"hello","options":{}}')
            clients.append(_Client(socket, clip, json.loads(await socket.recv())["window"]))
        async with anyio.create_task_group() as group:
            for client in clients:
                group.start_soon(client.stream, time.monotonic() + seconds)
    return [client.seen for client in clients]


class _Client:
    """One client after its greeting."""

    def __init__(self, socket: ClientConnection, clip: Sequence[bytes], window: int) -> None:
        self._socket = socket
        self._clip = clip
        self._credits = window
        self._sent = 0
        self.seen = Seen()

    async def stream(self, until_s: float) -> None:
        """Spend every credit as soon as it comes."""
        with anyio.move_on_after(until_s - time.monotonic()):
            while True:
                for _ in range(self._credits):
                    await self._send()
                self._take(json.loads(await self._socket.recv()))

    async def _send(self) -> None:
        now_s = time.monotonic()
        frame = self._clip[int(now_s * CAMERA_FPS) % len(self._clip)]
        await self._socket.send(Frame(self._sent, now_s * 1e3, frame).pack())
        self._sent += 1

    def _take(self, message: dict[str, Any]) -> None:
        self._credits = message["credits"]
        if message["type"] == "result":
            now_s = time.monotonic()
            self.seen.arrived_s.append(now_s)
            self.seen.ages_s.append(now_s - message["captured_ms"] / 1e3)
        elif message["type"] == "error":
            raise RuntimeError(message["problem"]["detail"])
