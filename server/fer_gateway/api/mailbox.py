"""The place of one frame between the network and the workers, and the account of one stream's credits."""

import anyio

from fer_gateway.api.protocol import Frame
from fer_gateway.errors import ProtocolViolation

WINDOW = 2
"""Frames that a client may have under way: one that is analysed and one that travels meanwhile."""

UNPAID_FRAMES_LIMIT = 8
"""Frames without a credit that are dropped before the stream is ended."""


class Mailbox:
    """One slot, the newest frame wins; every credit is always in exactly one place.

    `held` by the client + the frame in the slot + the frame being analysed + `owed` to the client = `WINDOW`.
    """

    def __init__(self) -> None:
        self.held = WINDOW
        self.owed = 0
        self.dropped = 0
        self._frame: Frame | None = None
        self._unpaid = 0
        self._filled = anyio.Event()

    def __bool__(self) -> bool:
        return self._frame is not None

    def put(self, frame: Frame) -> None:
        """Place `frame` in the slot, instead of an older one there; without a credit, drop it.

        Raises:
            ProtocolViolation: too many frames came without a credit.
        """
        if self.held == 0:
            self._drop_unpaid()
            return
        self.held -= 1
        self.clear()
        self._frame = frame
        self._filled.set()

    def clear(self) -> None:
        """Drop the frame in the slot, if there is one; its credit is owed."""
        if self._frame is not None:
            self._frame = None
            self._filled = anyio.Event()
            self.dropped += 1
            self.owed += 1

    async def wait(self) -> None:
        """Wait until a frame comes; `clear` may have dropped it again when the waiting task runs."""
        await self._filled.wait()

    def take(self) -> Frame:
        """Empty the slot, which must be full, for an analysis; `pay_back` counts its answer."""
        if self._frame is None:
            raise RuntimeError("`take` from an empty mailbox")
        frame, self._frame = self._frame, None
        self._filled = anyio.Event()
        return frame

    def pay_back(self, *, answered: int = 0) -> int:
        """The credits to send now: those of `answered` frames and those owed for dropped ones."""
        credits_ = self.owed + answered
        self.owed = 0
        self.held += credits_
        return credits_

    def _drop_unpaid(self) -> None:
        self.dropped += 1
        self._unpaid += 1
        if self._unpaid > UNPAID_FRAMES_LIMIT:
            raise ProtocolViolation(
                f"`{self._unpaid}` frames came without a credit. Send one frame for each credit of `ready`, "
                "`result`, `grant` and `error`."
            )
