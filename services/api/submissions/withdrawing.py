"""Withdrawing: a miner takes back what no worker has seen yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from quasar_core.chain.signatures import Caller
from quasar_core.contracts.http import SubmissionAccepted
from quasar_core.domain.submissions import WAITING, Status
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.attempts import repository as attempts
from services.api.attempts.endings import not_delivered
from services.api.attempts.repository import State
from services.api.db.models import Submission
from services.api.miners.service import use_nonce
from services.api.problems import not_found
from services.api.submissions import repository
from services.api.submissions.moves import move
from services.api.submissions.service import accepted, the_open_round


def withdraw(
    session: Session, submission_id: UUID, caller: Caller, *, now: datetime
) -> SubmissionAccepted:
    """Withdraw a submission of the caller's own.

    Raises Problem 404, 403 where it is somebody else's, and 409 where it
    no longer waits. Withdrawing it again changes nothing.
    """
    use_nonce(session, caller, now)
    current = the_open_round(session)
    row = repository.locked(session, submission_id)
    if row is None:
        raise not_found("submission")
    if row.hotkey != caller.hotkey:
        raise Problem(
            403,
            ProblemCode.NOT_PERMITTED,
            "only the hotkey that sent a submission may withdraw it",
        )
    if row.status != Status.WITHDRAWN:
        _stop_waiting(session, row, now)
        move(
            session,
            row,
            Status.WITHDRAWN,
            actor=f"miner:{row.hotkey}",
            now=now,
        )
    return accepted(session, row, current)


def _stop_waiting(session: Session, row: Submission, now: datetime) -> None:
    """Take it out of the queue; a message on its way opens nothing then."""
    status = Status(row.status)
    attempt = attempts.under_way(session, row.id)
    started = attempt is not None and attempt.state == State.STARTED
    if started or status not in WAITING:
        raise Problem(
            409,
            ProblemCode.CONFLICT,
            f"it is {status.value}: only what waits can be withdrawn",
        )
    if attempt is not None:
        not_delivered(session, attempt, now)
