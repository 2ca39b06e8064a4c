"""The wire between referee and candidate: fixed frames on one socket.

Nothing is parsed beyond the fixed fields. The referee's frames carry
descriptors by SCM_RIGHTS; a candidate's may not. `candidate/runner.py`
holds the other end and imports nothing of ours, so the layouts are written
twice; a test compares them.
"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from quasar_core.errors import QuasarError
from quasar_core.judge.shapes import CallShape

MAGIC = b"QSR1"
NONCE_BYTES = 16
TEXT_BYTES = 1_000

# magic, kind, flags, element type, output slot, nonce, B, T, H, S
REQUEST = struct.Struct("<4sBBBB16sIIII")
# magic, kind, code, bytes of text, nonce, text
REPLY = struct.Struct(f"<4sBBH16s{TEXT_BYTES}s")
# The same frame, setting up a device: bytes of a Y, and of an X.
SETUP = struct.Struct("<4sBBBB16sQQ")

LIVENESS_SECONDS = 0.05
SEND_SECONDS = 10.0


class Ask(IntEnum):
    """What the referee asks."""

    SETUP = 1
    """Map the outputs, import the kernel."""
    CALL = 2
    """Map the input, run the kernel, write the output."""
    NOTHING = 3
    """Map the input and answer: the cost of an exchange alone."""
    SETUP_DEVICE = 4
    """Import the outputs and then the inputs into a device."""


class Flag(IntFlag):
    """What takes part in a call beside q, k, v and beta."""

    INITIAL_STATE = 1
    FINAL_STATE = 2


class Answer(IntEnum):
    """What a candidate answers."""

    READY = 1
    DONE = 2
    FAILED = 3


class Failure(IntEnum):
    """Why a candidate says that it failed: it can only accuse itself."""

    IMPORT = 1
    COMPILE = 2
    RUNTIME = 3
    OUT_OF_MEMORY = 4
    WRONG_RESULT = 5
    INPUT_MODIFIED = 6


class CandidateGone(QuasarError):
    """The candidate's process ended, or it closed its end of the socket."""


class OutOfTurn(QuasarError):
    """The candidate sent something that the protocol does not expect."""


class CandidateLate(QuasarError):
    """The candidate did not answer by the deadline."""


class CandidateFailed(QuasarError):
    """The candidate answered that it failed."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(f"{failure.name.lower()}: {text}")
        self.failure = failure
        self.text = text


@dataclass(frozen=True)
class Reply:
    """A well-formed frame of a candidate; its text is evidence only."""

    answer: Answer
    failure: Failure | None
    nonce: bytes
    text: str


class Channel:
    """The referee's end: every wait has a deadline of the referee's."""

    def __init__(self, near: socket.socket, spin_seconds: float) -> None:
        near.setblocking(False)
        self._spin_seconds = spin_seconds
        self._socket = near
        self._poll = select.poll()
        self._poll.register(near, select.POLLIN)

    @classmethod
    def pair(cls, spin_seconds: float = 0.0) -> tuple[Channel, socket.socket]:
        """A channel, and the candidate's end of it.

        Its first `spin_seconds` of each wait do not sleep: being woken up
        takes a time that is never the same.
        """
        near, far = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
        )
        return cls(near, spin_seconds), far

    def set_up(
        self, sizes: tuple[int, int] | None, descriptors: Sequence[int]
    ) -> bytes:
        """Hand over the windows; raises as `send` does.

        `sizes` are the bytes of an output and of an input on a device; on a
        processor the descriptors tell.
        """
        if sizes is None:
            return self.send(Ask.SETUP, CallShape(64), descriptors=descriptors)
        return self._send(
            lambda nonce: SETUP.pack(
                MAGIC, Ask.SETUP_DEVICE, 0, 0, 0, nonce, *sizes
            ),
            descriptors,
        )

    def send(
        self,
        ask: Ask,
        shape: CallShape,
        slot: int = 0,
        descriptors: Sequence[int] = (),
    ) -> bytes:
        """Ask, and return the nonce that the answer must carry.

        Raises CandidateGone where nobody listens, OutOfTurn where the
        candidate has spoken unasked, CandidateLate where it reads nothing.
        """
        return self._send(
            lambda nonce: request_frame(ask, shape, slot, nonce), descriptors
        )

    def _send(
        self, frame_of: Callable[[bytes], bytes], descriptors: Sequence[int]
    ) -> bytes:
        self.expect_silence()
        nonce = secrets.token_bytes(NONCE_BYTES)
        frame = frame_of(nonce)
        rights = [
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))
        ]
        try:
            self._socket.sendmsg([frame], rights if descriptors else [])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise CandidateGone("nobody listens") from error
        except BlockingIOError as error:
            raise CandidateLate("the candidate reads nothing") from error
        return nonce

    def expect_silence(self) -> None:
        """Raise OutOfTurn if something lies unread, CandidateGone at EOF."""
        if self._poll.poll(0):
            self._receive_frame()
            raise OutOfTurn("a frame was sent before it was asked for")

    def receive(
        self, nonce: bytes, deadline: float, alive: Callable[[], bool]
    ) -> Reply:
        """Wait for the answer to `nonce` until `deadline` (monotonic).

        Raises CandidateLate, CandidateGone, OutOfTurn, and CandidateFailed
        where the candidate says that it failed.
        """
        self._wait(deadline, alive)
        reply = parse_reply(self._receive_frame())
        if not secrets.compare_digest(reply.nonce, nonce):
            raise OutOfTurn("an answer carries another call's nonce")
        if reply.failure is not None:
            raise CandidateFailed(reply.failure, reply.text)
        return reply

    def _wait(self, deadline: float, alive: Callable[[], bool]) -> None:
        awake = min(time.monotonic() + self._spin_seconds, deadline)
        while time.monotonic() < awake:
            if self._poll.poll(0):
                return
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise CandidateLate("no answer in time")
            if self._poll.poll(min(left, LIVENESS_SECONDS) * 1_000):
                return
            # A child that holds the socket keeps it open after its parent.
            if not alive() and not self._poll.poll(0):
                raise CandidateGone("the process ended")

    def _receive_frame(self) -> bytes:
        # No room for ancillary data: descriptors sent to us are dropped by
        # the kernel and never become ours.
        try:
            frame, _, flags, _ = self._socket.recvmsg(REPLY.size + 1)
        except ConnectionResetError as error:
            raise CandidateGone("the socket was reset") from error
        if not frame:
            raise CandidateGone("the socket was closed")
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise OutOfTurn("a frame is too long or carries descriptors")
        return frame

    def close(self) -> None:
        """Close the referee's end; idempotent."""
        self._socket.close()


def request_frame(
    ask: Ask, shape: CallShape, slot: int, nonce: bytes
) -> bytes:
    """The referee's frame, as `candidate/runner.py` reads it."""
    flags = Flag(0)
    if shape.initial_state:
        flags |= Flag.INITIAL_STATE
    if shape.final_state:
        flags |= Flag.FINAL_STATE
    sizes = (shape.batch, shape.tokens, shape.heads, shape.head_dim)
    return REQUEST.pack(MAGIC, ask, flags, shape.element, slot, nonce, *sizes)


def parse_reply(frame: bytes) -> Reply:
    """A candidate's frame; raises OutOfTurn where it is not one."""
    if len(frame) != REPLY.size:
        raise OutOfTurn("a frame has the wrong size")
    magic, kind, code, length, nonce, text = REPLY.unpack(frame)
    if magic != MAGIC or length > TEXT_BYTES:
        raise OutOfTurn("a frame has the wrong header")
    try:
        answer = Answer(kind)
        failure = Failure(code) if answer is Answer.FAILED else None
    except ValueError as error:
        raise OutOfTurn("a frame of an unknown kind") from error
    return Reply(answer, failure, nonce, printable(text[:length]))


def printable(raw: bytes) -> str:
    """Hostile bytes as text without control characters."""
    text = raw.decode("utf-8", errors="replace")
    return "".join(
        (
            letter
            if letter.isprintable() or letter in "\n\t"
            else "\N{REPLACEMENT CHARACTER}"
        )
        for letter in text
    )
