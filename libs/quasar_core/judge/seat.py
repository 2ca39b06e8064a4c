"""A seat at the judge's table: one sandboxed kernel and the way to it."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Sequence
from typing import Self, TypeVar

import torch

from quasar_core.errors import Evidence, RejectionCode, TransientError
from quasar_core.execution.sandbox import (
    Ending,
    Job,
    Outcome,
    Running,
    Sandbox,
)
from quasar_core.judge.buffers import SLOTS, Buffers, OutputWindow
from quasar_core.judge.caller import Answered, Caller
from quasar_core.judge.channel import Channel
from quasar_core.judge.exchange import Exchange, PreparedCall
from quasar_core.judge.faults import (
    FAILURE_CODES,
    TEXT_LIMIT,
    KernelFault,
    Patience,
    log_tail,
)
from quasar_core.judge.protocol import (
    Ask,
    CandidateFailed,
    CandidateGone,
    CandidateLate,
    OutOfTurn,
    Reply,
)
from quasar_core.judge.shapes import CallShape

Result = TypeVar("Result")

ENDING_SECONDS = 5.0
"""How long a process that hung up may take to end."""


class Seat:
    """One sandboxed kernel: asked, timed, frozen, and in the end killed."""

    def __init__(
        self,
        running: Running,
        channel: Channel,
        windows: Sequence[OutputWindow],
        buffers: Buffers,
        chance: random.Random,
    ) -> None:
        self._running = running
        self._channel = channel
        self._windows = windows
        self._buffers = buffers
        self._chance = chance
        self._caller = Caller(channel, windows, buffers)
        self._hello = b""
        self._outcome: Outcome | None = None

    @classmethod
    def take(
        cls,
        sandbox: Sandbox,
        job: Callable[[int], Job],
        buffers: Buffers,
        output_bytes: int,
        chance: random.Random,
    ) -> Self:
        """Start a sandbox and ask it to get ready; does not wait for it."""
        queues = buffers.timeline is not None
        channel, far = Channel.pair(queues=queues)
        with far:
            running = sandbox.start(job(_inheritable(far)))
        windows = [buffers.output(output_bytes) for _ in range(SLOTS)]
        seat = cls(running, channel, windows, buffers, chance)
        seat.greet()
        return seat

    def greet(self) -> None:
        """Hand over the output windows; the kernel is imported meanwhile."""
        descriptors = [window.descriptor for window in self._windows]
        descriptors += self._buffers.standing
        self._hello = self._guarded(
            lambda: self._channel.set_up(self._buffers.sizes, descriptors)
        )

    def ready(self, patience: Patience) -> None:
        """Wait until the kernel is imported; raises KernelFault."""
        started = time.monotonic()
        self._guarded(lambda: self._answer(self._hello, patience))
        patience.charge(time.monotonic() - started)

    def call(
        self,
        shape: CallShape,
        sections: Sequence[torch.Tensor],
        patience: Patience,
        *,
        into: torch.Tensor,
        ask: Ask = Ask.CALL,
    ) -> Exchange:
        """One exchange: X is born, travels, and Y is read to its end.

        `into` is private memory (uint8) of at least the output's bytes.
        Raises KernelFault for whatever the kernel did wrong.
        """
        with self.prepared(shape, sections, into) as prepared:
            seconds = self.exchange(prepared, patience, ask=ask)
        return Exchange(seconds, *prepared.outputs())

    def prepared(
        self,
        shape: CallShape,
        sections: Sequence[torch.Tensor],
        into: torch.Tensor,
    ) -> PreparedCall:
        """A call whose X is filled, but that nobody has seen."""
        return PreparedCall(self._buffers, shape, sections, into, self._chance)

    def exchange(
        self,
        prepared: PreparedCall,
        patience: Patience,
        *,
        ask: Ask = Ask.CALL,
    ) -> float:
        """Send a prepared X, wait, and read all of Y into private memory.

        The clock stops when the read has ended, not when DONE arrives: who
        answers early has not won anything.
        """
        return self._timed(
            lambda answered: self._caller.alone(prepared, ask, answered),
            patience,
        )

    def exchange_in_a_row(
        self, calls: Sequence[PreparedCall], patience: Patience
    ) -> float:
        """The seconds of a run of prepared calls without a gap."""
        return self._timed(
            lambda answered: self._caller.in_a_row(calls, answered), patience
        )

    def _timed(
        self, run: Callable[[Answered], float], patience: Patience
    ) -> float:
        started = time.monotonic()
        seconds = self._guarded(
            lambda: run(lambda nonce: self._answer(nonce, patience))
        )
        patience.charge(time.monotonic() - started)
        self._guarded(self._channel.expect_silence)
        return seconds

    def freeze(self) -> None:
        """Stop everything inside."""
        self._running.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self._running.thaw()

    def fault(
        self,
        code: RejectionCode,
        detail: str,
        evidence: Evidence | None = None,
    ) -> KernelFault:
        """The fault, unless the sandbox knows a deeper cause of it.

        The sandbox is killed. Raises TransientError where that itself broke
        down.
        """
        outcome = self.leave()
        if outcome.ending is Ending.INFRA:
            raise TransientError("the sandbox broke down")
        if outcome.ending is Ending.OUT_OF_MEMORY:
            code, detail = RejectionCode.MEMORY_LIMIT, "killed for memory"
        elif outcome.pids_limit_hit:
            code, detail = RejectionCode.PROCESS_LIMIT, "no room for more"
        elif outcome.ending is Ending.TIMEOUT:
            code, detail = RejectionCode.TIME_LIMIT, "the job's deadline"
        return KernelFault(code, detail, evidence, log_tail(outcome))

    def leave(self) -> Outcome:
        """Kill the sandbox and let go of all that was shared; idempotent."""
        if self._outcome is None:
            self._outcome = self._running.kill()
            self._channel.close()
            for window in self._windows:
                window.close()
            self._buffers.close()
        return self._outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def _answer(self, nonce: bytes, patience: Patience) -> Reply:
        return self._channel.receive(
            nonce, patience.deadline, lambda: self._running.alive
        )

    def _guarded(self, action: Callable[[], Result]) -> Result:
        """Do it, and tell what went wrong in the judge's own words."""
        try:
            return action()
        except CandidateGone as error:
            raise self._ended(str(error)) from error
        except CandidateLate as error:
            raise self.fault(RejectionCode.TIME_LIMIT, str(error)) from error
        except OutOfTurn as error:
            raise self.fault(
                RejectionCode.PROTOCOL_VIOLATION, str(error)
            ) from error
        except CandidateFailed as error:
            raise self.fault(
                FAILURE_CODES[error.failure], error.text[:TEXT_LIMIT]
            ) from error

    def _ended(self, detail: str) -> KernelFault:
        outcome = self._running.wait(ENDING_SECONDS)
        if outcome is None:
            return self.fault(
                RejectionCode.PROTOCOL_VIOLATION,
                "the process closed its socket and lives on",
            )
        if outcome.ending is Ending.OUTPUT_LIMIT:
            detail = "it printed more than may be printed"
        return self.fault(
            RejectionCode.PROCESS_EXIT,
            detail,
            {"exit_code": outcome.exit_code, "signal": outcome.signal},
        )


def _inheritable(far: socket.socket) -> int:
    descriptor = far.fileno()
    if descriptor <= 2:
        raise RuntimeError("the standard descriptors must be open")
    return descriptor
