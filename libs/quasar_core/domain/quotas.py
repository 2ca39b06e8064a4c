"""Quotas: how much one coldkey may ask for, and who is judged next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from quasar_core.errors import QuasarError


class QuotaExceeded(QuasarError, ValueError):
    """A coldkey or hotkey asks for more than its share.

    `quota` names the limit that is used up.
    """

    def __init__(self, quota: str, limit: int, sentence: str) -> None:
        super().__init__(sentence)
        self.quota = quota
        self.limit = limit


@dataclass(frozen=True)
class QuotaSettings:
    """The limits of a round."""

    waiting_per_league: int = 1
    judged_per_round: int = 12
    unrevealed: int = 2


@dataclass(frozen=True)
class QuotaUse:
    """What is used up before the submission in question.

    `waiting_in_league`: waiting or in judging, of this coldkey and league.
    `this_round`: of this coldkey in this round, whatever was or will be
    judged; commitments count whether revealed or not, even if withdrawn,
    and what ended as infra_failed or was withdrawn before any worker could
    take it does not.
    `unrevealed`: commitments of this hotkey.
    """

    waiting_in_league: int = 0
    this_round: int = 0
    unrevealed: int = 0


@dataclass(frozen=True)
class Candidate:
    """A queued submission, as the scheduler weighs it.

    `rerun`: judged before, such as a paid place of the last round.
    `turns`: running or judged this round, of its coldkey.
    """

    submission_id: str
    coldkey: str
    commit_block: int
    rerun: bool = False
    turns: int = 0


def check(settings: QuotaSettings, use: QuotaUse) -> None:
    """Allow a submission that is queued at once, or raise QuotaExceeded."""
    if use.waiting_in_league >= settings.waiting_per_league:
        raise QuotaExceeded(
            "waiting_per_league",
            settings.waiting_per_league,
            "This coldkey already has a submission waiting or in judging"
            " in this league.",
        )
    _check_round(settings, use)


def check_commitment(settings: QuotaSettings, use: QuotaUse) -> None:
    """Allow a sealed commitment, or raise QuotaExceeded.

    Its league is unknown until it is revealed.
    """
    if use.unrevealed >= settings.unrevealed:
        raise QuotaExceeded(
            "unrevealed",
            settings.unrevealed,
            f"This hotkey already has {settings.unrevealed} commitments"
            " that are not revealed.",
        )
    _check_round(settings, use)


def after_queueing(use: QuotaUse) -> QuotaUse:
    """What is used up once one more is queued."""
    return replace(
        use,
        waiting_in_league=use.waiting_in_league + 1,
        this_round=use.this_round + 1,
    )


def after_committing(use: QuotaUse) -> QuotaUse:
    """What is used up once one more is committed to."""
    return replace(
        use, this_round=use.this_round + 1, unrevealed=use.unrevealed + 1
    )


def left(settings: QuotaSettings, use: QuotaUse) -> QuotaUse:
    """What may still be asked for, never below zero."""
    return QuotaUse(
        max(settings.waiting_per_league - use.waiting_in_league, 0),
        max(settings.judged_per_round - use.this_round, 0),
        max(settings.unrevealed - use.unrevealed, 0),
    )


def next_in_queue(candidates: Iterable[Candidate]) -> Candidate | None:
    """Who is judged next, or None where nobody waits.

    Live before re-runs, then the coldkey with the fewest running or judged
    this round, then commitment order.
    """
    return min(
        candidates,
        key=lambda candidate: (
            candidate.rerun,
            candidate.turns,
            candidate.commit_block,
            candidate.submission_id,
        ),
        default=None,
    )


def _check_round(settings: QuotaSettings, use: QuotaUse) -> None:
    if use.this_round >= settings.judged_per_round:
        raise QuotaExceeded(
            "judged_per_round",
            settings.judged_per_round,
            f"This coldkey has used its {settings.judged_per_round}"
            " judgings of this round.",
        )
