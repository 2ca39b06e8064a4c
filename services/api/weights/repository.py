"""Weights reports in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from quasar_core.contracts.http import WeightsReport
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db.records import WeightsReportRow

SET = "set"


def add(
    session: Session, hotkey: str, report: WeightsReport, now: datetime
) -> int:
    """Keep what a validator reported; the number that it is kept under."""
    row = WeightsReportRow(
        validator_hotkey=hotkey,
        round_number=report.round_number,
        outcome=report.outcome,
        report=report.model_dump(mode="json"),
        reported_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def was_set(session: Session, round_number: int) -> bool:
    """Whether some validator set the weights of this round."""
    query = (
        select(WeightsReportRow.id)
        .where(
            WeightsReportRow.round_number == round_number,
            WeightsReportRow.outcome == SET,
        )
        .limit(1)
    )
    return session.scalar(query) is not None


def listed(
    session: Session,
    hotkey: str | None,
    limit: int,
    before: int | None = None,
) -> Sequence[WeightsReportRow]:
    """The newest reports below a number, of one validator or of all."""
    query = (
        select(WeightsReportRow)
        .order_by(WeightsReportRow.id.desc())
        .limit(limit)
    )
    if hotkey is not None:
        query = query.where(WeightsReportRow.validator_hotkey == hotkey)
    if before is not None:
        query = query.where(WeightsReportRow.id < before)
    return session.scalars(query).all()
