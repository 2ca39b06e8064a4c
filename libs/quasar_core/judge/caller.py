"""How calls are asked for, and from when to when their clock runs.

On a processor X travels with the call: the clock starts when it is sent.

On a device the clock is the device's own, and no processor stands between its
ends. The candidate launches its kernels, which wait there at a gate, and says
that they are queued. Then the referee queues all of its part: X into its
window, the gate opened, a wait for the word that the candidate's device
writes last, the read of Y. So launching is not raced. Who does not say in time
that he is queued gets X all the same, and launches while the clock runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quasar_core.judge.buffers import Buffers, OutputWindow
from quasar_core.judge.channel import Channel
from quasar_core.judge.exchange import PreparedCall
from quasar_core.judge.protocol import Ask
from quasar_core.judge.timeline import Timeline

QUEUE_SECONDS = 0.02
"""How long the referee waits, off the clock, until a call is queued."""

Answered = Callable[[bytes], object]
"""Waits for the answer to a nonce, and raises what is wrong with it."""


@dataclass(frozen=True)
class _Asked:
    call: PreparedCall
    nonce: bytes
    turn: int
    slot: int


class Caller:
    """Asks for the calls of one seat."""

    def __init__(
        self,
        channel: Channel,
        windows: Sequence[OutputWindow],
        buffers: Buffers,
    ) -> None:
        self._channel = channel
        self._windows = windows
        self._buffers = buffers
        self._turn = 0

    def alone(self, call: PreparedCall, ask: Ask, answered: Answered) -> float:
        """The seconds of one call, until all of its Y was read.

        Its Y holds poison before, and caches hold nothing of use.
        """
        slot = self._slot(self._turn + 1)
        self._windows[slot].poison(call.shape.output_bytes)
        return self._run([call], ask, answered, self._buffers.clear_caches)

    def in_a_row(
        self, calls: Sequence[PreparedCall], answered: Answered
    ) -> float:
        """The seconds of all calls together, without a gap between them.

        Their outputs are all different, so that no Y has to be poisoned.
        """
        return self._run(calls, Ask.CALL, answered, lambda: None)

    def _run(
        self,
        calls: Sequence[PreparedCall],
        ask: Ask,
        answered: Answered,
        before: Callable[[], object],
    ) -> float:
        timeline = self._buffers.timeline
        if timeline is None or ask is not Ask.CALL:
            before()
            return self._one_by_one(calls, ask, answered)
        return self._queued(calls, answered, before, timeline)

    def _one_by_one(
        self, calls: Sequence[PreparedCall], ask: Ask, answered: Answered
    ) -> float:
        started = time.perf_counter()
        for call in calls:
            asked = self._ask(call, ask)
            answered(asked.nonce)
            self._read(asked)
        return time.perf_counter() - started

    def _queued(
        self,
        calls: Sequence[PreparedCall],
        answered: Answered,
        before: Callable[[], object],
        timeline: Timeline,
    ) -> float:
        everything = [self._ask(call, Ask.CALL) for call in calls]
        for asked in everything:
            if not self._channel.queued(asked.nonce, QUEUE_SECONDS):
                break
        self._channel.expect_silence()
        # While the device does this, the rest is queued behind it.
        before()
        begun = timeline.mark()
        for asked in everything:
            asked.call.window.show(asked.slot, asked.turn)
            self._read(asked)
        ended = timeline.mark()
        try:
            for asked in everything:
                answered(asked.nonce)
        finally:
            # What has answered is done there, or will never be.
            self._buffers.release(self._turn)
            timeline.wait()
        return timeline.seconds(begun, ended)

    def _ask(self, call: PreparedCall, ask: Ask) -> _Asked:
        turn = self._turn + 1
        slot = self._slot(turn)
        nonce = self._channel.send(ask, call.shape, slot, call.window.travels)
        self._turn = turn
        return _Asked(call, nonce, turn, slot)

    def _slot(self, turn: int) -> int:
        return turn % len(self._windows)

    def _read(self, asked: _Asked) -> None:
        call = asked.call
        self._windows[asked.slot].read(
            call.into, call.shape.output_bytes, call.order
        )
