"""States and moments of the logbook."""

from datetime import UTC, datetime, timedelta

from services.miner_agent.agent.tables import (
    BEST,
    IN_FLIGHT,
    IN_GIT,
    State,
    now,
)


def test_moments_are_in_utc_and_carry_no_zone():
    moment = now()
    assert moment.tzinfo is None
    assert abs(moment.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(
        minutes=1
    )


def test_what_was_never_kept_is_never_the_best():
    assert frozenset(State) - {State.PROPOSED, State.DISCARDED} == BEST
    assert IN_FLIGHT < IN_GIT < BEST
