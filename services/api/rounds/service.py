"""Rounds: opened with settings that are frozen, and shown with them."""

from __future__ import annotations

from datetime import datetime

from quasar_core.contracts.http import BaselineView, LeagueView, RoundView
from quasar_core.domain.leagues import leagues
from quasar_core.domain.rounds import RoundSettings, RoundStatus
from sqlalchemy.orm import Session

from services.api.db import eventlog
from services.api.db.models import Round
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
        round_blocks=settings.round_blocks,
        evaluating_blocks=settings.evaluating_blocks,
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


def tell(
    session: Session,
    row: Round,
    start: str | None,
    now: datetime,
    evidence: dict[str, object],
) -> None:
    """Note in the log how a round has moved."""
    eventlog.append(
        session,
        kind="round",
        actor=ACTOR,
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
        base_commit=settings.base_commit,
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
            )
            for baseline in repository.baselines(session, row.number)
        ),
        latest_finalised_round=latest.number if latest else None,
    )
