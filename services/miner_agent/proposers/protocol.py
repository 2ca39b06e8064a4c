"""What a proposer is told, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from quasar_core.errors import QuasarError, TransientError


@dataclass(frozen=True)
class Tried:
    """An earlier try: what was changed, and what came of it."""

    summary: str
    kept: bool
    result: str
    choices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """All that a proposer knows.

    `files` are the best kernel's, name -> text: those, and no others, may
    be changed. `tried` is in order, the newest last. `rules` and `standing`
    say in words what is asked for and how fast the best one is.
    """

    files: Mapping[str, str]
    tried: tuple[Tried, ...] = ()
    rules: str = ""
    standing: str = ""


@dataclass(frozen=True)
class Proposal:
    """A change: whole files that take the place of those of their names.

    `choices` is where a search stands with it: tunable -> value, of all.
    """

    summary: str
    files: Mapping[str, str]
    choices: Mapping[str, int] = field(default_factory=dict)


class NotNow(TransientError):
    """Nothing can be proposed just now; the same question later may do.

    `seconds` is how long to wait at least, where that was told.
    """

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


class UnusableReply(QuasarError):
    """What was proposed cannot be applied; the text says why."""


class Proposer(Protocol):
    """Proposes one change at a time."""

    @property
    def name(self) -> str:
        """What the journal calls it."""
        ...

    def propose(self, situation: Situation) -> Proposal | None:
        """The next change to try; None where nothing is left to try.

        Raises NotNow and UnusableReply.
        """
        ...
