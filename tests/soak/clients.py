"""Clients of a soak: streams that come, work, misbehave and go in every way, and pictures that are posted."""

import asyncio
import contextlib
import io
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from fer_gateway.api.protocol import HEADER, Frame

WINDOW = 2
FRAME_SIZE = (640, 480)
ANSWER_WITHIN_S = 60.0
SESSION_S = (4.0, 15.0)
MALFORMED_SHARE = 0.03
"""Of frames and of posted pictures."""
LEAVE = ("in order", "in order", "in order", "abort", "in mid-frame", "violation")
"""How sessions end; the first is the usual way."""

Frames = Sequence[bytes]


def moving_faces(photos: Sequence[Path], count: int = 60) -> list[bytes]:
    """JPEGs of a camera: each photo's face moves over grey noise and back."""
    noise = np.random.default_rng(5).integers(90, 140, (FRAME_SIZE[1] // 4, FRAME_SIZE[0] // 4), np.uint8)
    background = Image.fromarray(noise).resize(FRAME_SIZE, Image.Resampling.BICUBIC)
    frames = []
    for number in range(count):
        frame = background.copy()
        phase = np.sin(2 * np.pi * number / count)
        for place, photo in enumerate(photos):
            face = Image.open(photo).convert("L")
            face.thumbnail((260, 300))
            frame.paste(face, (int(30 + place * 310 + 25 * phase), int(90 + 60 * phase)))
        file = io.BytesIO()
        frame.save(file, "JPEG", quality=80)
        frames.append(file.getvalue())
    return frames


def damaged(image: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, cut off, or no image at all."""
    kind = chance.randrange(3)
    if kind == 0:
        return image[: chance.randrange(len(image))]
    if kind == 1:
        return chance.randbytes(chance.randrange(2000))
    changed = bytearray(image)
    for _ in range(20):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


class Clients:
    """A number of streams, each served by one task that opens session after session until told to stop."""

    def __init__(self, port: int, frames: Frames, seed: int) -> None:
        self._stream_url = f"ws://127.0.0.1:{port}/api/v1/stream"
        self._url = f"http://127.0.0.1:{port}/api/v1/analyze"
        self._frames = frames
        self._seed = seed
        self._over = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        """What no client should ever see."""

    async def run(self, streams: int, seconds: float) -> None:
        """Let so many streams and one client that posts pictures work for so long."""
        self._over.clear()
        async with asyncio.TaskGroup() as group:
            for number in range(streams):
                group.create_task(self._stream(random.Random(f"{self._seed} {number}")))
            group.create_task(self._post(random.Random(f"{self._seed} posts")))
            await asyncio.sleep(seconds)
            self._over.set()
        self._seed += 1

    async def _stream(self, chance: random.Random) -> None:
        while not self._over.is_set():
            ending = chance.choice(LEAVE)
            try:
                await asyncio.wait_for(self._session(chance, ending), SESSION_S[1] + ANSWER_WITHIN_S)
            except TimeoutError:
                self.faults.append(f"a session that was to end `{ending}` hangs")
            except (ConnectionClosed, InvalidHandshake, OSError) as error:
                self.faults.append(f"a session that was to end `{ending}` broke: {error!r}")
            self.counts[f"sessions that ended {ending}"] += 1
            await asyncio.sleep(chance.uniform(0, 0.3))

    async def _session(self, chance: random.Random, ending: str) -> None:
        options = {"compression": None, "proxy": None, "open_timeout": ANSWER_WITHIN_S}
        subprotocols = [Subprotocol("fer.v1")]
        async with connect(self._stream_url, subprotocols=subprotocols, **options) as stream:  # type: ignore[arg-type]
            await stream.send('{"type":"hello","options":{}}')
            await _read(stream, "ready")
            credits_ = await self._work(stream, chance)
            if ending == "in order":
                while credits_ < WINDOW:
                    credits_ += (await _read(stream)).get("credits", 0)
                if credits_ != WINDOW:
                    self.faults.append(f"`{credits_}` credits came back instead of `{WINDOW}`")
            elif ending == "abort":
                stream.transport.abort()
            elif ending == "in mid-frame":
                stream.transport.write(b"\x82\xfe\xff\xff" + bytes(500))  # 65,535 bytes are announced
                stream.transport.abort()
            else:
                await stream.send(HEADER.pack(b"XX", 1, 0, 0, 0.0))
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        await _read(stream)
                if stream.close_code != 1008:
                    self.faults.append(f"a violation was closed with `{stream.close_code}`")

    async def _work(self, stream: ClientConnection, chance: random.Random) -> int:
        """Stream for the time of a session; the credits that are left."""
        clock = asyncio.get_running_loop()
        until_s, credits_, sequence = clock.time() + chance.uniform(*SESSION_S), WINDOW, 0
        start = chance.randrange(len(self._frames))
        while clock.time() < until_s and not self._over.is_set():
            while credits_ > 0:
                image = self._frames[(start + sequence) % len(self._frames)]
                if chance.random() < MALFORMED_SHARE:
                    image = damaged(image, chance)
                await stream.send(Frame(sequence, clock.time() * 1e3, image).pack())
                credits_, sequence = credits_ - 1, sequence + 1
            if chance.random() < 0.005:
                await stream.send('{"type":"reset"}')
            answer = await _read(stream)
            credits_ += answer.get("credits", 0)
            self._count(answer)
        return credits_

    def _count(self, answer: dict[str, Any]) -> None:
        kind = str(answer["type"])
        self.counts[f"{kind} messages"] += 1
        if kind == "result" and answer["faces"]:
            self.counts["results with faces"] += 1
        problem = answer.get("problem")
        if isinstance(problem, dict) and problem["status"] >= 500:
            self.faults.append(f"a frame got `{problem}`")

    async def _post(self, chance: random.Random) -> None:
        # A kept connection may be closed by the gateway at the moment at which it is used again.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, limits=limits) as client:
            while not self._over.is_set():
                image = chance.choice(self._frames)
                is_damaged = chance.random() < 0.3
                content = damaged(image, chance) if is_damaged else image
                answer = await client.post(self._url, content=content)
                self.counts[f"pictures answered with {answer.status_code}"] += 1
                if answer.status_code >= 500 or (not is_damaged and answer.status_code != 200):
                    self.faults.append(f"a picture got `{answer.status_code}`: {answer.text}")
                await asyncio.sleep(chance.uniform(0.2, 1))


async def _read(stream: ClientConnection, kind: str | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(await asyncio.wait_for(stream.recv(), ANSWER_WITHIN_S))
    if kind is not None and answer["type"] != kind:
        raise ConnectionRefusedError(f"`{kind}` was due, but came {answer}")
    return answer
