"""Cached: one answer of a chain that may be slow, may hang or be away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from quasar_core.chain.chain import ChainUnavailable

T = TypeVar("T")

RETRY_SECONDS = 5.0
"""How long a chain that did not answer is left alone."""

PATIENCE_SECONDS = 2.0
"""How long a reading is waited for, from when it began."""


@dataclass(frozen=True)
class _Reading(Generic[T]):
    value: T
    read_at: float


class _Question(Generic[T]):
    """One reading, in a thread of its own that may outlast its callers.

    No process waits for it to end.
    """

    def __init__(
        self,
        read: Callable[[], T],
        keep: Callable[[_Reading[T]], None],
        clock: Callable[[], float],
    ) -> None:
        self._read = read
        self._keep = keep
        self._clock = clock
        self._answer: Future[T] = Future()
        self.asked_at = self.ended_at = clock()
        self._thread = threading.Thread(
            target=self._run, name="chain.reading", daemon=True
        )
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether there is an answer, or a fault."""
        return self._answer.done()

    @property
    def lost(self) -> bool:
        """Whether it never ends: a fork takes no other threads along."""
        alive = self._thread.is_alive()
        return not alive and not self.ended

    @property
    def fault(self) -> BaseException | None:
        """What it ended in, where that is no answer."""
        return self._answer.exception()

    def answer(self) -> T:
        """What was read."""
        return self._answer.result()

    def wait(self, patience_seconds: float) -> None:
        """Wait for its end, until it is so old."""
        rest = self.asked_at + patience_seconds - self._clock()
        wait([self._answer], max(0.0, rest))

    def _run(self) -> None:
        # pylint: disable=broad-exception-caught
        try:
            value = self._read()
        except BaseException as fault:  # noqa: BLE001 -- raised to who asks
            self.ended_at = self._clock()
            self._answer.set_exception(fault)
        else:
            self._keep(_Reading(value, self.asked_at))
            self._answer.set_result(value)


class Cached(Generic[T]):
    """One value that is read again when it has aged; for many threads.

    There is one reading at a time. Who has caused it waits for it, and so
    does whoever has no value that is not stale, until it is
    `patience_seconds` old; nobody else does.
    """

    def __init__(
        self,
        read: Callable[[], T],
        refresh_seconds: float,
        stale_seconds: float,
        clock: Callable[[], float],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._read = read
        self._refresh_seconds = refresh_seconds
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._reading: _Reading[T] | None = None
        self._question: _Question[T] | None = None
        self._raised: _Question[T] | None = None
        self._lock = threading.Lock()

    def age_seconds(self) -> float | None:
        """The age of what is held, or None if nothing is."""
        reading = self._reading
        return None if reading is None else self._clock() - reading.read_at

    def fresh(self) -> T | None:
        """The value, where it need not be read again; waits for nobody."""
        held = self._held(self._refresh_seconds)
        return None if held is None else held.value

    def last(self) -> T | None:
        """What was read last, however long ago; waits for nobody."""
        reading = self._reading
        return None if reading is None else reading.value

    def get(self, max_age_seconds: float | None = None) -> T:
        """The value, at most so old if the chain answers in time.

        Raises ChainUnavailable if it does not and the value is stale, and
        whatever else the reading has raised.
        """
        wanted = self._refresh_seconds
        if max_age_seconds is not None:
            wanted = min(wanted, max_age_seconds)
        held = self._held(wanted)
        if held is not None:
            return held.value
        question, is_new = self._latest(wanted)
        if is_new or self._held(self._stale_seconds) is None:
            question.wait(self._patience_seconds)
        fault = self._unavailable(question)
        if fault is None:
            return question.answer()
        usable = self._held(self._stale_seconds)
        if usable is None:
            raise ChainUnavailable(str(fault)) from fault
        return usable.value

    def _held(self, max_age: float) -> _Reading[T] | None:
        reading = self._reading
        if reading is None or self._clock() - reading.read_at > max_age:
            return None
        return reading

    def _keep(self, reading: _Reading[T]) -> None:
        self._reading = reading

    def _latest(self, wanted: float) -> tuple[_Question[T], bool]:
        """The question whose answer counts, and whether it is a new one."""
        with self._lock:
            question = self._question
            if question is not None and not self._is_over(question, wanted):
                return question, False
            question = _Question(self._read, self._keep, self._clock)
            self._question, self._raised = question, None
            return question, True

    def _is_over(self, question: _Question[T], wanted: float) -> bool:
        """Whether the chain is to be asked again."""
        if not question.ended:
            return question.lost
        fault = question.fault
        if fault is None:
            return self._held(wanted) is None
        if isinstance(fault, ChainUnavailable):
            return self._clock() - question.ended_at >= RETRY_SECONDS
        return question is self._raised

    def _unavailable(self, question: _Question[T]) -> ChainUnavailable | None:
        """Why there is no answer, or None; raises any other fault."""
        if not question.ended:
            age = self._clock() - question.asked_at
            return ChainUnavailable(
                f"the chain does not answer: it was asked {age:.0f} s ago"
            )
        fault = question.fault
        if fault is None or isinstance(fault, ChainUnavailable):
            return fault
        self._raised = question
        raise fault
