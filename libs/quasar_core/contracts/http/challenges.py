"""Challenges: passages into paid places, run once more side by side."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from quasar_core.contracts.values import Contract, Hotkey, Moment


class Contender(Contract):
    """One of the two of a challenge, with the score that it came with."""

    submission_id: UUID
    hotkey: Hotkey
    league: str
    target_sequence_length: int
    weighted_score: float | None


class ChallengeView(Contract):
    """A challenge, and what it has shown.

    The ratio is the challenger's weighted score over the defender's, timed
    in one job in alternating blocks; each bound holds by `confidence`.
    """

    challenge_id: UUID
    challenger: Contender
    defender: Contender
    outcome: Literal["won", "no_better", "undecided"] | None
    """None while nothing is decided."""
    sentence: str
    ratio_low: float | None
    ratio_high: float | None
    fault_of: Literal["challenger", "defender"] | None
    """Who failed when it was run once more, if one of them did."""
    code: str | None
    run_id: str | None
    asked_at: Moment
    decided_at: Moment | None


class ChallengePage(Contract):
    """GET /rounds/{n}/challenges: the newest first."""

    round_number: int
    round_status: str
    confidence: float
    passes_above: float
    """The lower bound has to be above it for a passage."""
    no_better_up_to: float
    """The upper bound is not above it where it was shown to be no better."""
    challenges: tuple[ChallengeView, ...]
    next_cursor: str | None = None
    """Where the next page begins, if there is one."""


class ExplainedChallenge(ChallengeView):
    """A challenge as one of the two sees it."""

    side: Literal["challenger", "defender"]
    """Which of the two the miner is."""
    won: bool | None
    """Whether it ended his way: he passed, or was not passed."""
