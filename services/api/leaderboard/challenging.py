"""Challenging: a round's passages into paid places are run once more."""

from __future__ import annotations

from datetime import datetime

from quasar_core.domain.challenges import needed, settled
from quasar_core.domain.ladder import place
from quasar_core.domain.outcomes import Outcome
from quasar_core.domain.rounds import RoundSettings
from quasar_core.telemetry.logs import get_logger
from sqlalchemy.orm import Session

from services.api.attempts.endings import finish
from services.api.attempts.states import State
from services.api.challenges import repository
from services.api.db import outbox
from services.api.db.models import Round
from services.api.leaderboard.contest import contest_of
from services.api.rounds.service import ACTOR

log = get_logger("api.rounds")


def issue(session: Session, row: Round, now: datetime) -> int:
    """Ask for every challenge that is needed and not asked for; how many.

    A round has at most `challenges_per_round`, the best places first; its
    later ones stay open, and so are no passage.
    """
    rules = RoundSettings.from_dict(row.settings)
    known = repository.of_round(session, row.number)
    left = rules.challenges_per_round - len(known)
    if left <= 0:
        return 0
    outcomes = repository.outcomes(session, row.number)
    entries = contest_of(session, row).entries()
    asked = {repository.pair_of(each) for each in known}
    missing = [
        pair
        for pair in needed(place(entries, rules, outcomes), outcomes)
        if pair not in asked
    ][:left]
    for pair in missing:
        repository.enter(session, row.number, pair, actor=ACTOR, now=now)
    if missing:
        log.info(
            "round.challenged", round_number=row.number, number=len(missing)
        )
    return len(missing)


def close(session: Session, row: Round, now: datetime) -> None:
    """Decide what is still open, so that the ladder can be frozen.

    Whoever was not shown to be better does not pass: a passage whose
    challenge failed three times, came too late, or was one too many.
    """
    rules = RoundSettings.from_dict(row.settings)
    if rules.challenges_per_round == 0:
        return
    known = repository.outcomes(session, row.number)
    rows = {
        repository.pair_of(each): each
        for each in repository.of_round(session, row.number)
    }
    unanswered = dict.fromkeys(rows.keys() - known.keys(), Outcome.UNDECIDED)
    entries = contest_of(session, row).entries()
    final = settled(entries, rules, {**known, **unanswered})
    for pair in sorted(final.keys() - known.keys()):
        challenge = rows.get(pair) or repository.enter(
            session, row.number, pair, actor=ACTOR, now=now
        )
        for attempt in repository.live_attempts(session, challenge.id):
            finish(attempt, State.LOST, now, "its round was frozen")
            outbox.withdraw(session, attempt.id)
        repository.decide(
            session, challenge, Outcome.UNDECIDED, actor=ACTOR, now=now
        )
