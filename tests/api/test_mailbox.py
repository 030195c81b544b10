"""The account of credits: none is ever lost or made."""

import anyio
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fer_gateway.api.mailbox import UNPAID_FRAMES_LIMIT, WINDOW, Mailbox
from fer_gateway.api.protocol import Frame
from fer_gateway.errors import ProtocolViolation


def frame(sequence: int) -> Frame:
    return Frame(sequence, 0.0, b"")


class Stream(RuleBasedStateMachine):
    """A client that counts for itself, a network with delay, a worker, and the mailbox between them."""

    def __init__(self) -> None:
        super().__init__()
        self.grantable = WINDOW
        self.mailbox = Mailbox(lambda wanted: min(wanted, self.grantable))
        self.client_credits = WINDOW
        self.travelling: list[int] = []  # credits in messages that the client has not read yet
        self.working: Frame | None = None
        self.sent = 0
        self.answered = 0
        self.unpaid = 0

    @precondition(lambda self: self.client_credits > 0)
    @rule()
    def send_frame(self) -> None:
        self.client_credits -= 1
        self.sent += 1
        self.mailbox.put(frame(self.sent))

    @precondition(lambda self: self.mailbox.held == 0 and self.unpaid < UNPAID_FRAMES_LIMIT)
    @rule()
    def send_frame_without_credit(self) -> None:
        self.unpaid += 1
        self.sent += 1
        self.mailbox.put(frame(self.sent))

    @rule()
    def read_messages(self) -> None:
        self.client_credits += sum(self.travelling)
        self.travelling.clear()

    @precondition(lambda self: self.mailbox and self.working is None)
    @rule()
    def take(self) -> None:
        self.working = self.mailbox.take()

    @precondition(lambda self: self.working is not None)
    @rule()
    def answer(self) -> None:
        self.working = None
        self.answered += 1
        self.travelling.append(self.mailbox.pay_back(answered=1))

    @rule(grantable=st.integers(0, WINDOW))
    def cap(self, grantable: int) -> None:
        self.grantable = grantable

    @rule()
    def grant(self) -> None:
        self.travelling.append(self.mailbox.pay_withheld())

    @rule(tell=st.booleans())
    def reset(self, tell: bool) -> None:
        self.mailbox.clear()
        if tell:
            self.travelling.append(self.mailbox.pay_back())

    @invariant()
    def every_credit_is_in_one_place(self) -> None:
        under_way = int(bool(self.mailbox)) + int(self.working is not None)
        assert self.mailbox.held + under_way + self.mailbox.owed == WINDOW
        assert self.mailbox.held == self.client_credits + sum(self.travelling)

    @invariant()
    def every_frame_is_answered_or_counted(self) -> None:
        under_way = int(bool(self.mailbox)) + int(self.working is not None)
        assert self.sent == self.answered + self.mailbox.dropped + under_way

    @invariant()
    def messages_give_back_at_most_the_window(self) -> None:
        assert all(0 <= credits_ <= WINDOW for credits_ in self.travelling)


Stream.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_credits_are_conserved = Stream.TestCase


def test_the_newest_frame_wins() -> None:
    mailbox = Mailbox()
    mailbox.put(frame(1))
    mailbox.put(frame(2))
    assert mailbox.take().sequence == 2
    assert mailbox.dropped == 1
    assert mailbox.pay_back(answered=1) == 2


def test_frames_without_credit_are_dropped_then_refused() -> None:
    mailbox = Mailbox()
    for sequence in range(WINDOW):
        mailbox.put(frame(sequence))
    for sequence in range(UNPAID_FRAMES_LIMIT):
        mailbox.put(frame(100 + sequence))
    assert mailbox.take().sequence == WINDOW - 1
    with pytest.raises(ProtocolViolation, match="credit"):
        mailbox.put(frame(200))


def test_waiting_ends_with_a_frame() -> None:
    async def scenario() -> None:
        mailbox = Mailbox()
        async with anyio.create_task_group() as group:
            group.start_soon(mailbox.wait)
            await anyio.lowlevel.checkpoint()
            mailbox.put(frame(1))
        mailbox.take()
        with anyio.move_on_after(0.01) as scope:
            await mailbox.wait()
        assert scope.cancelled_caught

    anyio.run(scenario)
