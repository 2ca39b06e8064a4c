"""Rounds: opened with settings that are frozen, and shown with them."""

from __future__ import annotations

from datetime import datetime

from quasar_core.contracts.http import BaselineView, LeagueView, RoundView
from quasar_core.domain.leagues import leagues
from quasar_core.domain.rounds import RoundSettings, RoundStatus
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.db import eventlog
from services.api.db.models import Round
from services.api.problems import not_found
from services.api.rounds import repository
from services.api.settings import Settings

ACTOR = "scheduler"


def frozen(settings: Settings) -> RoundSettings:
    """What of the service's settings a round freezes when it opens."""
    return RoundSettings(
        pool=settings.pool,
        profile=settings.profile.value,
        league_unit=settings.league_unit,
        max_sequence_length=settings.max_sequence_length,
        min_improvement=settings.min_improvement,
        must_beat_baseline=settings.must_beat_baseline,
        one_paid_per_coldkey=settings.one_paid_per_coldkey,
        records_only=settings.records_only,
        unfilled=settings.unfilled.value,
        reenter_paid_places=settings.reenter_paid_places,
        base_commit=settings.base_commit or "",
        challenges_per_round=settings.challenges_per_round,
        challenging_blocks=settings.challenging_blocks,
        round_blocks=settings.round_blocks,
        evaluating_blocks=settings.evaluating_blocks,
        accepts_unsealed=settings.accepts_unsealed,
        blocks_until_reveal=settings.blocks_until_reveal,
        reveal_window=settings.reveal_window,
        cosine_sim_threshold=settings.cosine_sim_threshold,
        max_diff_threshold=settings.max_diff_threshold,
        waiting_per_league=settings.quota_waiting_per_league,
        judged_per_round=settings.quota_judged_per_round,
        unrevealed=settings.quota_unrevealed,
    )


def open_next(
    session: Session, settings: Settings, height: int, now: datetime
) -> Round:
    """Open the round after the newest one; no other may be open."""
    newest = repository.newest(session)
    rules = frozen(settings)
    row = Round(
        number=newest.number + 1 if newest else 1,
        status=RoundStatus.OPEN,
        pool=rules.pool,
        settings=rules.to_dict(),
        opened_at_block=height,
        closes_at_block=height + rules.round_blocks,
        opened_at=now,
        harness_digest=settings.harness_digest,
        burn_share=0.0,
        results_version=0,
    )
    session.add(row)
    session.flush()
    tell(session, row, None, now, {"settings": row.settings, "block": height})
    return row


def close_early(
    session: Session,
    number: int,
    *,
    reason: str,
    by: str,
    height: int,
    now: datetime,
    order: str = "close-round",
) -> Round:
    """Let an open round end at `height`: the scheduler then closes it.

    What closing means is done in one place, so that an administrator who
    is cut off half-way leaves nothing half done; the next round opens in
    the same step. Of a round that is due already it changes nothing, and
    stands in the log all the same. Raises Problem where there is no such
    round, or where it is not open.
    """
    if repository.by_number(session, number) is None:
        raise not_found("round")
    row = repository.locked(session, number)
    if row.status != RoundStatus.OPEN:
        raise Problem(
            409, ProblemCode.CONFLICT, f"round {number} is {row.status}"
        )
    planned = row.closes_at_block
    row.closes_at_block = min(planned, height)
    evidence: dict[str, object] = {
        "order": order,
        "reason": reason,
        "planned_block": planned,
        "block": row.closes_at_block,
    }
    tell(session, row, row.status, now, evidence, actor=by)
    return row


def open_early(
    session: Session, *, reason: str, by: str, height: int, now: datetime
) -> Round:
    """Let the next round open at `height`, and so the open one end there.

    One round is always open: none opens without another one's closing.
    Gives the round that closes; raises Problem before the first.
    """
    current = repository.open_round(session)
    if current is None:
        raise Problem(
            409, ProblemCode.CONFLICT, "the first round opens by itself"
        )
    return close_early(
        session,
        current.number,
        reason=reason,
        by=by,
        height=height,
        now=now,
        order="open-round",
    )


def tell(
    session: Session,
    row: Round,
    start: str | None,
    now: datetime,
    evidence: dict[str, object],
    actor: str = ACTOR,
) -> None:
    """Note in the log how a round has moved, or what it was told to do."""
    eventlog.append(
        session,
        kind="round",
        actor=actor,
        now=now,
        round_number=row.number,
        from_status=start,
        to_status=row.status,
        evidence=evidence,
    )


def view(
    session: Session, row: Round, settings: Settings, height: int | None
) -> RoundView:
    """Everything that a verdict of this round depends on."""
    rules = RoundSettings.from_dict(row.settings)
    latest = repository.latest_frozen(session)
    return RoundView(
        round_number=row.number,
        status=row.status,
        pool=row.pool,
        opened_at_block=row.opened_at_block,
        closes_at_block=row.closes_at_block,
        current_block=height,
        netuid=settings.netuid,
        receiver_hotkey=settings.receiver_hotkey,
        base_commit=rules.base_commit or settings.base_commit,
        harness_digest=row.harness_digest,
        settings=rules.to_dict(),
        leagues=tuple(
            LeagueView(
                name=league.name,
                smallest_length=league.smallest_length,
                multiplier=league.multiplier,
            )
            for league in leagues(rules.league_unit)
        ),
        baselines=tuple(
            BaselineView(
                worker=baseline.worker,
                sequence_length=baseline.sequence_length,
                tokens_per_sec=baseline.tokens_per_sec,
                measured_at=baseline.measured_at,
                environment=baseline.environment,
            )
            for baseline in repository.baselines(session, row.number)
        ),
        latest_finalised_round=latest.number if latest else None,
    )
