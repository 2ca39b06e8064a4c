"""Books: what became of every submission that the API accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from quasar_core.domain.submissions import Status
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.attempts.states import State
from services.api.db.models import Attempt, Submission
from services.api.db.records import LogRow

RESULTS = (State.COMPLETED, State.REJECTED)
ONCE = (Status.SCORED, Status.REJECTED)
"""A submission reaches these once, or a result was counted twice."""


@dataclass(frozen=True)
class Books:
    """Submissions, by their ids, that went wrong; and attempts, by state."""

    accepted: int
    lost: frozenset[UUID]
    duplicated: frozenset[UUID]
    attempts: dict[str, int]

    @property
    def right(self) -> bool:
        """Whether every submission has its one result."""
        return not self.lost and not self.duplicated


def books_of(
    session: Session,
    accepted: Collection[UUID],
    ends: Collection[Status] = (Status.SCORED,),
) -> Books:
    """The books of what was accepted with a 202, each to end in `ends`.

    Lost: without a row, without its row in the log, or not at an end.
    Duplicated: with two results of one job, with two scores in the log, or
    stored twice.
    """
    rows = session.scalars(select(Submission)).all()
    at_end = {row.id for row in rows if row.status in ends}
    entered = set(
        session.scalars(
            select(LogRow.submission_id).where(
                LogRow.kind == "moved", LogRow.from_status.is_(None)
            )
        )
    )
    attempts = session.scalars(select(Attempt)).all()
    results = (
        (one.submission_id, one.kind)
        for one in attempts
        if one.state in RESULTS and one.challenge_id is None
    )
    moves = session.execute(
        select(LogRow.submission_id, LogRow.to_status).where(
            LogRow.kind == "moved", LogRow.to_status.in_(ONCE)
        )
    )
    doors = Counter((r.hotkey, r.commit_hash, r.round_number) for r in rows)
    return Books(
        accepted=len(accepted),
        lost=frozenset(set(accepted) - (at_end & entered)),
        duplicated=frozenset(
            {
                *_repeated(results),
                *_repeated((who, to) for who, to in moves if who and to),
                *(
                    row.id
                    for row in rows
                    if doors[row.hotkey, row.commit_hash, row.round_number] > 1
                ),
            }
        ),
        attempts=dict(Counter(one.state for one in attempts)),
    )


def _repeated(things: Iterable[tuple[UUID, str]]) -> set[UUID]:
    return {thing[0] for thing, n in Counter(things).items() if n > 1}
