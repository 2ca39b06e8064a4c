"""What travels between referee and candidate: fixed frames, both ways.

Nothing is parsed beyond the fixed fields. The referee's frames carry
descriptors by SCM_RIGHTS; a candidate's may not. `candidate/runner.py`
holds the other end and imports nothing of ours, so the layouts are written
twice; a test compares them.
"""

from __future__ import annotations

import struct
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
    QUEUED = 4
    """On a device: launched, and waiting there for its input."""


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
