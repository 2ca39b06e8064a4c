"""Limits: what a shift may use up, when it is quiet, how long it backs off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from quasar_core.errors import QuasarError

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 600.0
LONGEST_TOLD_SECONDS = 3_600.0
"""No answer of anybody's may put the agent to sleep for longer."""

_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


class BudgetSpent(QuasarError):
    """The shift may go no further; the text says what is used up."""


class LimitFault(QuasarError):
    """A limit that says nothing; the text says how to write one."""


@dataclass(frozen=True)
class Budget:
    """What a shift may use up at most; None is no bound."""

    tries: int | None = None
    hours: float | None = None
    money: float | None = None

    def used_up(self, tries: int, worked_seconds: float) -> str | None:
        """Why no further change is proposed, or None."""
        if self.tries is not None and tries >= self.tries:
            return f"{tries} changes were tried, as many as were asked for"
        if self.hours is not None and worked_seconds >= self.hours * 3_600:
            return f"{self.hours:g} h were worked, as many as were asked for"
        return None


NO_BOUND = Budget()


@dataclass(frozen=True)
class Prices:
    """What a model's endpoint charges, in any one currency."""

    per_million_prompt: float = 0.0
    per_million_reply: float = 0.0

    def of(self, prompt_tokens: int, reply_tokens: int) -> float:
        """What so many tokens cost."""
        return (
            prompt_tokens * self.per_million_prompt
            + reply_tokens * self.per_million_reply
        ) / 1e6


@dataclass(frozen=True)
class QuietHours:
    """A span of the day, by this machine's clock, in which nothing is run.

    It may go over midnight.
    """

    start: time
    end: time

    @classmethod
    def read(cls, text: str) -> QuietHours:
        """From `22:00-07:30`; raises LimitFault."""
        found = _HOURS.fullmatch(text.strip())
        numbers = [int(number) for number in found.groups()] if found else []
        try:
            first, its_minute, last, last_minute = numbers
            hours = cls(time(first, its_minute), time(last, last_minute))
        except ValueError as fault:
            raise LimitFault(
                f"{text!r} are no hours; write them as 22:00-07:30"
            ) from fault
        if hours.start == hours.end:
            raise LimitFault(f"{text!r} are no hours: they end as they begin")
        return hours

    def seconds_left(self, now: datetime) -> float:
        """How long it stays quiet; 0 where it is not."""
        at = now.time()
        over_midnight = self.end < self.start
        inside = (
            at >= self.start or at < self.end
            if over_midnight
            else self.start <= at < self.end
        )
        if not inside:
            return 0.0
        ends = datetime.combine(now.date(), self.end)
        if ends <= now.replace(tzinfo=None):
            ends += timedelta(days=1)
        return (ends - now.replace(tzinfo=None)).total_seconds()


class Backoff:
    """Longer from failure to failure, and never two agents in step."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def reset(self) -> None:
        """It went well."""
        self._failures = 0

    def next(self, told_seconds: float | None = None) -> float:
        """How long to wait after one more failure, in seconds.

        At least as long as was told, up to an hour, and up to a half more.
        """
        doubled = FIRST_PAUSE_SECONDS * 2.0**self._failures
        told = min(told_seconds or 0.0, LONGEST_TOLD_SECONDS)
        least = max(min(doubled, LONGEST_PAUSE_SECONDS), told)
        if doubled < LONGEST_PAUSE_SECONDS:
            self._failures += 1
        return least * self._random.uniform(1.0, 1.5)
