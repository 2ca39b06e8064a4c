"""The wire between referee and candidate: who may speak, and when."""

from __future__ import annotations

import secrets
import select
import socket
import time
from array import array
from collections.abc import Callable, Sequence

from quasar_core.judge.protocol import (
    MAGIC,
    NONCE_BYTES,
    REPLY,
    SETUP,
    Answer,
    Ask,
    CandidateFailed,
    CandidateGone,
    CandidateLate,
    OutOfTurn,
    Reply,
    parse_reply,
    request_frame,
)
from quasar_core.judge.shapes import CallShape

LIVENESS_SECONDS = 0.05


class Channel:
    """The referee's end: every wait has a deadline of the referee's.

    With `queues` a call may be answered twice: QUEUED, and then DONE.
    """

    def __init__(self, near: socket.socket, *, queues: bool) -> None:
        near.setblocking(False)
        self._queues = queues
        self._unqueued: set[bytes] = set()
        self._socket = near
        self._poll = select.poll()
        self._poll.register(near, select.POLLIN)

    @classmethod
    def pair(cls, *, queues: bool = False) -> tuple[Channel, socket.socket]:
        """A channel, and the candidate's end of it."""
        near, far = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
        )
        return cls(near, queues=queues), far

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
        nonce = self._send(
            lambda nonce: request_frame(ask, shape, slot, nonce), descriptors
        )
        if self._queues and ask is Ask.CALL:
            self._unqueued.add(nonce)
        return nonce

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
        """Raise OutOfTurn if something lies unread, CandidateGone at EOF.

        That a call was queued may be said late.
        """
        while self._poll.poll(0):
            frame = self._receive_frame()
            if not self._unqueued or not self._noted(parse_reply(frame)):
                raise OutOfTurn("a frame was sent before it was asked for")

    def queued(self, nonce: bytes, seconds: float) -> bool:
        """Whether the call of `nonce` is said to be queued in that time.

        Raises OutOfTurn for any other answer, CandidateFailed and
        CandidateGone as `receive`.
        """
        until = time.monotonic() + seconds
        while nonce in self._unqueued:
            left = max(until - time.monotonic(), 0)
            if not self._poll.poll(left * 1_000):
                return False
            reply = parse_reply(self._receive_frame())
            if self._noted(reply):
                continue
            if reply.failure is not None and reply.nonce == nonce:
                raise CandidateFailed(reply.failure, reply.text)
            raise OutOfTurn("an answer came before there was an input")
        return True

    def receive(
        self, nonce: bytes, deadline: float, alive: Callable[[], bool]
    ) -> Reply:
        """Wait for the answer to `nonce` until `deadline` (monotonic).

        Raises CandidateLate, CandidateGone, OutOfTurn, and CandidateFailed
        where the candidate says that it failed.
        """
        self._wait(deadline, alive)
        reply = parse_reply(self._receive_frame())
        while self._noted(reply):
            self._wait(deadline, alive)
            reply = parse_reply(self._receive_frame())
        self._unqueued.discard(nonce)
        if not secrets.compare_digest(reply.nonce, nonce):
            raise OutOfTurn("an answer carries another call's nonce")
        if reply.failure is not None:
            raise CandidateFailed(reply.failure, reply.text)
        return reply

    def _wait(self, deadline: float, alive: Callable[[], bool]) -> None:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise CandidateLate("no answer in time")
            if self._poll.poll(min(left, LIVENESS_SECONDS) * 1_000):
                return
            # A child that holds the socket keeps it open after its parent.
            if not alive() and not self._poll.poll(0):
                raise CandidateGone("the process ended")

    def _noted(self, reply: Reply) -> bool:
        """Whether it said that a call is queued; each may say so once."""
        if reply.answer is not Answer.QUEUED:
            return False
        if reply.nonce not in self._unqueued:
            raise OutOfTurn("queued is what was not asked for")
        self._unqueued.discard(reply.nonce)
        return True

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
