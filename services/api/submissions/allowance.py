"""Allowance: what a miner has used of the round's quotas, and what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from quasar_core.contracts.http import QuotaLeft
from quasar_core.domain import quotas
from quasar_core.domain.rounds import RoundSettings
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.db.models import Round, Submission
from services.api.submissions import usage


@dataclass(frozen=True)
class Account:
    """Whose quota it is: the coldkey's, and for commitments the hotkey's."""

    coldkey: str
    hotkey: str


def account_of(row: Submission) -> Account:
    """Whose quota a submission is on."""
    return Account(row.coldkey, row.hotkey)


def use_of(
    session: Session,
    account: Account,
    league: str | None,
    current: Round,
    apart_from: UUID | None = None,
) -> quotas.QuotaUse:
    """What an account has used of a round's quotas.

    `apart_from`: a commitment that is being revealed; it counts already.
    """
    return usage.use_of(
        session,
        account.coldkey,
        account.hotkey,
        league,
        current.number,
        apart_from,
    )


def check(rules: RoundSettings, use: quotas.QuotaUse) -> None:
    """Raise Problem 429 unless one more may be queued in a league."""
    _allowed(quotas.check, rules, use)


def check_commitment(rules: RoundSettings, use: quotas.QuotaUse) -> None:
    """Raise Problem 429 unless one more may be committed to."""
    _allowed(quotas.check_commitment, rules, use)


def told(
    rules: RoundSettings, use: quotas.QuotaUse, league: str | None
) -> QuotaLeft:
    """What is used up and what there is, as answers to a miner tell it."""
    limits = rules.quotas
    return QuotaLeft(
        waiting_in_league=use.waiting_in_league if league else None,
        waiting_in_league_limit=limits.waiting_per_league,
        judged_this_round=use.this_round,
        judged_this_round_limit=limits.judged_per_round,
        unrevealed=use.unrevealed,
        unrevealed_limit=limits.unrevealed,
    )


def _allowed(
    rule: Callable[[quotas.QuotaSettings, quotas.QuotaUse], None],
    rules: RoundSettings,
    use: quotas.QuotaUse,
) -> None:
    try:
        rule(rules.quotas, use)
    except quotas.QuotaExceeded as fault:
        raise Problem(429, ProblemCode.QUOTA_EXCEEDED, str(fault)) from fault
