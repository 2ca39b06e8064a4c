"""What was recorded already: messages by their ids, stages by attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from services.api.db.models import PassedStage
from services.api.db.records import RecordedEvent
from services.api.db.upsert import insert_once


def remember(session: Session, event_id: UUID, now: datetime) -> bool:
    """Note a message's id; False where it was recorded before."""
    return insert_once(
        session, RecordedEvent, event_id=event_id, recorded_at=now
    )


def add_stage(
    session: Session,
    attempt_id: UUID,
    stage: str,
    seconds: float,
    detail: dict[str, Any],
    now: datetime,
) -> bool:
    """Note a stage that an attempt passed; False where it is noted."""
    return insert_once(
        session,
        PassedStage,
        attempt_id=attempt_id,
        stage=stage,
        seconds=seconds,
        detail=detail,
        recorded_at=now,
    )


def forget_before(session: Session, before: datetime) -> None:
    """Forget ids so old that their messages cannot come again."""
    session.execute(
        delete(RecordedEvent).where(RecordedEvent.recorded_at < before)
    )
