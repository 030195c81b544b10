"""The place of one frame between the network and the workers, and the account of one stream's credits."""

from collections.abc import Callable

import anyio

from fer_gateway.api.protocol import Frame
from fer_gateway.errors import ProtocolViolation

WINDOW = 2
"""Frames that a client may have under way: one that is analysed and one that travels meanwhile."""

UNPAID_FRAMES_LIMIT = 8
"""Frames without a credit that are dropped before the stream is ended."""

TakeCredits = Callable[[int], int]
"""How many of so many credits may be granted now."""

NoteCredits = Callable[[int, int], None]
"""Told after each change: the credits that the client holds, and its frames that wait or are analysed."""


class Mailbox:
    """One slot, the newest frame wins; every credit is always in exactly one place.

    `held` by the client + the frame in the slot + the frame being analysed + `owed` to the client = `WINDOW`.
    """

    def __init__(self, take: TakeCredits = int, note: NoteCredits = lambda *_: None) -> None:
        self._take = take
        self._note = note
        self.held = WINDOW
        self.owed = 0
        self.dropped = 0
        self._frame: Frame | None = None
        self._unpaid = 0
        self._filled = anyio.Event()
        self._withheld = anyio.Event()

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
        self._tell()

    def clear(self) -> None:
        """Drop the frame in the slot, if there is one; its credit is owed."""
        if self._frame is not None:
            self._frame = None
            self._filled = anyio.Event()
            self.dropped += 1
            self.owed += 1
            self._tell()

    def open(self, credits_: int) -> int:
        """Let the client begin with so many credits, `WINDOW` at most; the others are owed. Returns them."""
        self.held = min(credits_, WINDOW)
        self.owed = WINDOW - self.held
        self._pay(0)
        return self.held

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
        """The credits to send now: of those of `answered` frames and those owed, what `take` grants."""
        self.owed += answered
        self._tell()
        return self._pay(self._take(self.owed))

    async def wait_for_debt(self) -> None:
        """Wait until `take` has withheld a credit."""
        await self._withheld.wait()

    def pay_withheld(self) -> int:
        """The credit to send now, if one is still owed; for whoever has waited until one may be granted."""
        return self._pay(min(self.owed, 1))

    def _pay(self, credits_: int) -> int:
        self.owed -= credits_
        self.held += credits_
        self._tell()
        if self.owed:
            self._withheld.set()
        elif self._withheld.is_set():
            self._withheld = anyio.Event()
        return credits_

    def _tell(self) -> None:
        self._note(self.held, WINDOW - self.held - self.owed)

    def _drop_unpaid(self) -> None:
        self.dropped += 1
        self._unpaid += 1
        if self._unpaid > UNPAID_FRAMES_LIMIT:
            raise ProtocolViolation(
                f"`{self._unpaid}` frames came without a credit. Send one frame for each credit of `ready`, "
                "`result`, `grant` and `error`."
            )
