"""Workers and their baselines in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db.records import Baseline, Worker
from services.api.db.upsert import put


def note_worker(session: Session, **values: Any) -> None:
    """Note that a worker was heard of, under its name and role."""
    put(session, Worker, **values)


def note_baseline(session: Session, **values: Any) -> None:
    """Note a baseline; a worker that measures again is right again."""
    put(session, Baseline, **values)


def all_workers(session: Session) -> Sequence[Worker]:
    """Every worker that was ever heard of, by role and name."""
    return session.scalars(
        select(Worker).order_by(Worker.role, Worker.name)
    ).all()
