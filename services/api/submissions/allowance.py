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


def check(
    session: Session,
    account: Account,
    league: str,
    current: Round,
    apart_from: UUID | None = None,
) -> None:
    """Raise Problem 429 unless one more may be queued in a league.

    `apart_from`: a commitment that is being revealed; it counts already.
    """
    use = _use(session, account, league, current.number, apart_from)
    _allowed(quotas.check, current, use)


def check_commitment(
    session: Session, account: Account, current: Round
) -> None:
    """Raise Problem 429 unless one more may be committed to."""
    use = _use(session, account, None, current.number)
    _allowed(quotas.check_commitment, current, use)


def told(
    session: Session, account: Account, league: str | None, current: Round
) -> QuotaLeft:
    """What is used up and what there is, as answers to a miner tell it."""
    limits = RoundSettings.from_dict(current.settings).quotas
    use = _use(session, account, league, current.number)
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
    current: Round,
    use: quotas.QuotaUse,
) -> None:
    limits = RoundSettings.from_dict(current.settings).quotas
    try:
        rule(limits, use)
    except quotas.QuotaExceeded as fault:
        raise Problem(429, ProblemCode.QUOTA_EXCEEDED, str(fault)) from fault


def _use(
    session: Session,
    account: Account,
    league: str | None,
    number: int,
    apart_from: UUID | None = None,
) -> quotas.QuotaUse:
    counts = [
        usage.sent_in_round(account.coldkey, number, apart_from),
        usage.unrevealed(account.hotkey),
    ]
    if league:
        counts.append(usage.waiting_in_league(account.coldkey, league))
    this_round, unrevealed, *waiting = usage.counted(session, *counts)
    return quotas.QuotaUse(
        waiting_in_league=waiting[0] if waiting else 0,
        this_round=this_round,
        unrevealed=unrevealed,
    )
