"""Patience: what is away for a while is asked for again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from quasar_core.client.answers import ProblemAnswer, UnreadableAnswer
from quasar_core.errors import TransientError

from services.miner_agent.agent.limits import Backoff
from services.miner_agent.agent.saying import Say

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Patience:
    """Asks again, later and later, for `hours` at most.

    None is no bound; with 0 it asks once.
    """

    backoff: Backoff
    say: Say
    pause: Callable[[float], None]
    hours: float | None = None

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer, however often it takes.

        Raises what waiting does not mend, a refusal or an answer in no known
        form, and the last fault of all once the hours are over.
        """
        waited = 0.0
        while True:
            try:
                return question()
            except (TransientError, ProblemAnswer) as fault:
                seconds = self.backoff.next(_told_seconds(fault))
                if not _passes(fault) or self._is_over(waited):
                    raise
                told = f"{fault}; waiting {seconds:.0f} s"
            self.say("waiting", told, seconds=seconds)
            self.pause(seconds)
            waited += seconds

    def _is_over(self, waited_seconds: float) -> bool:
        return self.hours is not None and waited_seconds >= self.hours * 3_600


def _passes(fault: TransientError | ProblemAnswer) -> bool:
    if isinstance(fault, ProblemAnswer):
        return fault.transient
    return not isinstance(fault, UnreadableAnswer)


def _told_seconds(fault: TransientError | ProblemAnswer) -> float | None:
    if isinstance(fault, ProblemAnswer):
        return fault.retry_after_seconds
    return None
