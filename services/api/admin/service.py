"""Orders of administrators: what each does, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from quasar_core.chain.keys import KeyFault, canonical_hotkey
from quasar_core.chain.signatures import Caller
from quasar_core.contracts.http import (
    BanKind,
    BanOrder,
    BanView,
    LiftOrder,
    SubmissionOrdered,
)
from quasar_core.domain.submissions import ADMINISTRATOR_MOVES, Status
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.attempts.repository import forgive
from services.api.clients import network_of
from services.api.db import eventlog
from services.api.db.models import Submission
from services.api.db.records import Ban
from services.api.db.upsert import put
from services.api.problems import invalid, not_found, unavailable
from services.api.rounds import repository as rounds
from services.api.settings import Settings
from services.api.submissions import repository as submissions
from services.api.submissions.moves import carry_over, move
from services.api.submissions.repository import Door

GOES_TO: Mapping[str, Status] = MappingProxyType(
    {
        "requeue": Status.QUEUED,
        "invalidate": Status.INVALIDATED,
        "quarantine": Status.QUARANTINED,
        "release": Status.SCORED,
    }
)
"""Where each order moves a submission."""

FINDINGS = (
    *("code", "rejection", "manifest", "correctness", "timing", "logits"),
    *("tokens_per_sec", "tokens_per_sec_low", "tokens_per_sec_high"),
    *("speedup_vs_baseline", "weighted_score", "not_before"),
)
"""What judging writes into a submission, and is written anew."""


@dataclass(frozen=True)
class Administrator:
    """Who orders, when, and why."""

    caller: Caller
    reason: str
    now: datetime

    @property
    def actor(self) -> str:
        """The name in the event log."""
        return f"admin:{self.caller.hotkey}"


def move_submission(
    session: Session, submission_id: UUID, order: str, by: Administrator
) -> SubmissionOrdered:
    """Move a submission as the table of moves allows; Problem 409 else."""
    row = submissions.locked(session, submission_id)
    if row is None:
        raise not_found("submission")
    start, to = Status(row.status), GOES_TO[order]
    if (start, to) not in ADMINISTRATOR_MOVES:
        raise conflict(f"a submission that is {start} is not {to} by order")
    if to is Status.SCORED and (row.logits is None or row.timing is None):
        raise conflict("it was never judged whole, so it has no score")
    if to is Status.QUEUED:
        _start_again(session, row, by)
    move(
        session,
        row,
        to,
        actor=by.actor,
        now=by.now,
        evidence={"order": order, "reason": by.reason},
    )
    return SubmissionOrdered(
        submission_id=row.id,
        from_status=start,
        to_status=to,
        round_number=row.round_number,
    )


def _start_again(session: Session, row: Submission, by: Administrator) -> None:
    """Forget what was found, and play in the open round."""
    current = rounds.open_round(session)
    if current is None:
        raise unavailable("no round is open yet")
    door = Door(
        row.hotkey, row.fork_url, row.commit_hash, row.target_sequence_length
    )
    twin = submissions.at_the_door(session, door, current.number)
    if twin is not None and twin.id != row.id:
        raise conflict(f"it was sent again since: {twin.id}")
    for name in FINDINGS:
        setattr(row, name, None)
    forgive(session, row.id)
    if row.round_number != current.number:
        carry_over(session, row, current, actor=by.actor, now=by.now)


def ban(
    session: Session, order: BanOrder, by: Administrator, settings: Settings
) -> BanView:
    """Ban a hotkey or a network, or change the ban that is there."""
    subject = subject_of(order.kind, order.subject)
    if subject in settings.admin_hotkeys:
        raise conflict("an administrator's hotkey is banned by the settings")
    until = None
    if order.hours is not None:
        until = by.now + timedelta(hours=order.hours)
    put(
        session,
        Ban,
        kind=order.kind,
        subject=subject,
        reason=by.reason,
        banned_by=by.caller.hotkey,
        banned_at=by.now,
        until=until,
    )
    tell(
        session,
        by,
        "ban",
        kind=order.kind,
        subject=subject,
        until=until.isoformat() if until else None,
    )
    return BanView(
        kind=order.kind,
        subject=subject,
        reason=by.reason,
        banned_by=by.caller.hotkey,
        banned_at=by.now,
        until=until,
    )


def lift(session: Session, order: LiftOrder, by: Administrator) -> str:
    """Let a banned hotkey or network come back; the subject's one name.

    An address may be banned by its failures alone, of which the database
    knows nothing; a hotkey that is not banned is Problem 404.
    """
    subject = subject_of(order.kind, order.subject)
    row = session.get(Ban, (order.kind, subject))
    if row is not None:
        session.delete(row)
    elif order.kind is BanKind.HOTKEY:
        raise not_found("ban")
    tell(session, by, "lift", kind=order.kind, subject=subject)
    return subject


def subject_of(kind: BanKind, subject: str) -> str:
    """The one spelling of who is banned; Problem 422 for nobody."""
    if kind is BanKind.HOTKEY:
        try:
            return canonical_hotkey(subject)
        except KeyFault as fault:
            raise invalid(f"subject: {fault}") from fault
    network = network_of(subject)
    if network is None:
        raise invalid(
            "subject: no IP address, or a network too wide to ban"
            " (an IPv4 /16 and an IPv6 /32 are the widest)"
        )
    return str(network)


def tell(
    session: Session, by: Administrator, order: str, **evidence: Any
) -> None:
    """Note an order in the log that moves neither round nor submission."""
    eventlog.append(
        session,
        kind="admin",
        actor=by.actor,
        now=by.now,
        evidence={"order": order, "reason": by.reason, **evidence},
    )


def conflict(detail: str) -> Problem:
    """A 409 for an order that does not fit what is there."""
    return Problem(409, ProblemCode.CONFLICT, detail)


def shown(settings: Settings) -> dict[str, Any]:
    """The settings for reading: of every address, its scheme and host."""
    values = settings.model_dump(mode="json")
    for name, value in values.items():
        if name.endswith("_url") and isinstance(value, str):
            parts = urlsplit(value)
            values[name] = (
                f"{parts.scheme}://{parts.hostname or '...'}"
                if parts.scheme
                else value
            )
    return values
