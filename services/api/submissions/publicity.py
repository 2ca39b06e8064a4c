"""Publicity: when what a miner wrote is shown to everybody."""

from __future__ import annotations

from uuid import UUID

from quasar_core.contracts.http import SourceView
from quasar_core.domain.submissions import Status
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.db import sources
from services.api.db.models import Submission
from services.api.problems import not_found
from services.api.rounds import repository as rounds
from services.api.submissions import repository


def source_of(session: Session, submission_id: UUID) -> SourceView:
    """The archived files of a submission that was judged in a final round.

    Raises Problem: 404 where there is nothing, 403 where it is not public,
    saying when it will be.
    """
    row = repository.by_id(session, submission_id)
    if row is None:
        raise not_found("submission")
    _check_public(session, row)
    if row.tree_hash is None:
        raise not_found("source: no file of this submission was ever taken")
    source = sources.archived(session, row.tree_hash)
    return SourceView(
        submission_id=row.id,
        identity=source.identity,
        tree_hash=source.tree_hash,
        files=source.files,
    )


def _check_public(session: Session, row: Submission) -> None:
    status = Status(row.status)
    played = rounds.by_number(session, row.round_number)
    assert played is not None  # noqa: S101 -- a foreign key says so
    if played.status not in rounds.FROZEN:
        raise _closed(
            f"round {played.number} is {played.status}: sources are shown"
            " once it is final"
        )
    if status not in repository.JUDGED:
        raise _closed(
            f"the submission is {status.value}: only what was judged is shown"
        )


def _closed(why: str) -> Problem:
    return Problem(403, ProblemCode.SOURCE_NOT_PUBLIC, why)
