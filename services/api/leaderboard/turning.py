"""Turning: rounds move along the chain's blocks, and standings freeze."""

from __future__ import annotations

from datetime import datetime

from quasar_core.domain.rounds import RoundSettings, RoundStatus, next_status
from quasar_core.telemetry.logs import get_logger
from sqlalchemy.orm import Session

from services.api.challenges import repository as challenges
from services.api.db import eventlog
from services.api.db.models import Round
from services.api.db.session import Database
from services.api.leaderboard import challenging, repository
from services.api.leaderboard.reentry import reenter
from services.api.leaderboard.service import ranking_of
from services.api.rounds import repository as rounds
from services.api.rounds.service import ACTOR, open_next, tell
from services.api.settings import Settings
from services.api.submissions import repository as submissions
from services.api.submissions.moves import carry_over
from services.api.weights import repository as weights

log = get_logger("api.rounds")


def turn_rounds(
    database: Database, settings: Settings, height: int, now: datetime
) -> bool:
    """Take every round that is due one step on; whether any was.

    Each step is decided and taken in one transaction that no other writer
    shares, so whoever does the same at the same time finds it done.
    """
    with database.read() as session:
        if not _anything_due(session, height):
            return False
    with database.write(sealing=True) as session:
        for row in rounds.unweighed(session, lock=True):
            goes_to = _next(session, row, height)
            if goes_to != row.status:
                STEPS[goes_to](session, row, settings, height, now)
        if rounds.open_round(session) is None:
            opened = open_next(session, settings, height, now)
            log.info("round.opened", round_number=opened.number, block=height)
    return True


def _anything_due(session: Session, height: int) -> bool:
    if rounds.open_round(session) is None:
        return True
    return any(
        _next(session, row, height) != row.status
        for row in rounds.unweighed(session)
    )


def _next(
    session: Session,
    row: Round,
    height: int,
    challenged: int | None = None,
) -> RoundStatus:
    """Where a round goes; its open challenges are counted unless told."""
    rules = RoundSettings.from_dict(row.settings)
    status = RoundStatus(row.status)
    evaluating = status is RoundStatus.EVALUATING
    if challenged is None and evaluating:
        challenged = challenges.open_in_round(session, row.number)
    return next_status(
        status,
        block=height,
        closes_at_block=row.closes_at_block,
        evaluating_since_block=row.evaluating_since_block,
        unfinished=(
            submissions.pending_in_round(session, row.number)
            if evaluating
            else 0
        ),
        weighed=(
            _weighed(session, row)
            if status is RoundStatus.FINALISED
            else False
        ),
        evaluating_blocks=rules.evaluating_blocks,
        challenged=challenged or 0,
        challenging_blocks=rules.challenging_blocks,
    )


def _weighed(session: Session, row: Round) -> bool:
    """Whether a validator set this round's weights, or will no more."""
    latest = rounds.latest_frozen(session)
    if latest is not None and latest.number > row.number:
        return True
    return weights.was_set(session, row.number)


def _close(
    session: Session,
    row: Round,
    settings: Settings,
    height: int,
    now: datetime,
) -> None:
    """Take no more submissions; the next round opens at once."""
    row.status = RoundStatus.EVALUATING
    row.evaluating_since_block = height
    session.flush()
    tell(session, row, RoundStatus.OPEN, now, {"block": height})
    log.info("round.closed", round_number=row.number, block=height)
    opened = open_next(session, settings, height, now)
    log.info("round.opened", round_number=opened.number, block=height)


def _finalise(
    session: Session,
    row: Round,
    settings: Settings,
    height: int,
    now: datetime,
) -> None:
    """Move on what is unfinished, freeze the standings, seal the log.

    What would pass into a paid place is challenged first, while there are
    blocks left for it: then the round stays in evaluation.
    """
    del settings
    current = rounds.open_round(session)
    assert current is not None  # noqa: S101 -- closing opened it
    for submission in submissions.unfinished_in_round(session, row.number):
        carry_over(session, submission, current, actor=ACTOR, now=now)
    if (
        _next(session, row, height, challenged=1) is RoundStatus.EVALUATING
        and challenging.issue(session, row, now) > 0
    ):
        return
    challenging.close(session, row, now)
    ranking = ranking_of(session, row)
    repository.freeze(session, row.number, ranking)
    row.status = RoundStatus.FINALISED
    row.finalised_at_block = height
    row.finalised_at = now
    row.burn_share = ranking.rewards.burn
    row.results_version += 1
    shares = dict(ranking.rewards.by_hotkey)
    tell(
        session,
        row,
        RoundStatus.EVALUATING,
        now,
        {
            "block": height,
            "shares": shares,
            "burn_share": row.burn_share,
            "reason": ranking.rewards.reason,
        },
    )
    if RoundSettings.from_dict(row.settings).reenter_paid_places:
        reenter(session, ranking, current, now)
    row.log_hash = eventlog.seal(session, now)
    log.info("round.finalised", round_number=row.number, shares=shares)


def _weigh(
    session: Session,
    row: Round,
    settings: Settings,
    height: int,
    now: datetime,
) -> None:
    """The weights of this round are on chain, or a later round's are."""
    del settings
    row.status = RoundStatus.WEIGHED
    tell(session, row, RoundStatus.FINALISED, now, {"block": height})
    log.info("round.weighed", round_number=row.number)


STEPS = {
    RoundStatus.EVALUATING: _close,
    RoundStatus.FINALISED: _finalise,
    RoundStatus.WEIGHED: _weigh,
}
