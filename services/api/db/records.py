"""The tables of the books: the log, the outbox, and what is remembered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.api.db.base import Base, only_where
from services.api.db.types import SequenceNumber

UNPUBLISHED = text("published_at IS NULL")
ORDERED = text("substr(actor, 1, 6) = 'admin:'")
"""What an administrator did: the rows that the log of orders is made of."""


class LogRow(Base):
    """One row of the event log: who, when, from, to, evidence."""

    __tablename__ = "event_log"
    __table_args__ = (
        Index("ix_event_log_submission", "submission_id", "sequence"),
        Index("ix_event_log_ordered", "sequence", **only_where(ORDERED)),
        {"sqlite_autoincrement": True},
    )

    sequence: Mapped[int] = mapped_column(
        SequenceNumber, primary_key=True, autoincrement=True
    )
    submission_id: Mapped[UUID | None]
    round_number: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(96))
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str | None] = mapped_column(String(16))
    stage: Mapped[str | None] = mapped_column(String(16))
    evidence: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]


class LogBlock(Base):
    """A sealed stretch of the event log, chained to the one before."""

    __tablename__ = "log_blocks"

    number: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False
    )
    first_sequence: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    row_count: Mapped[int] = mapped_column(Integer)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]
    row_digests: Mapped[list[Any] | None]
    """[sequence, SHA-256] of each row; None in blocks of before there were."""


class OutboxRow(Base):
    """An event that is still to reach the broker, at least once."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_unpublished", "id", **only_where(UNPUBLISHED)),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        SequenceNumber, primary_key=True, autoincrement=True
    )
    event_name: Mapped[str] = mapped_column(String(64))
    pool: Mapped[str | None] = mapped_column(String(32))
    attempt_id: Mapped[UUID | None] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    published_at: Mapped[datetime | None]


class Nonce(Base):
    """A request that was accepted, so that it is not accepted again."""

    __tablename__ = "nonces"

    hotkey: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce_ns: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False
    )
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Ban(Base):
    """A hotkey that may not write, or a network that may not even ask."""

    __tablename__ = "bans"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(500))
    banned_by: Mapped[str] = mapped_column(String(64))
    banned_at: Mapped[datetime]
    until: Mapped[datetime | None]


class RecordedEvent(Base):
    """The id of a message whose effects are in the database."""

    __tablename__ = "recorded_events"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(index=True)


class Worker(Base):
    """A worker, and when it was last heard of."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    pool: Mapped[str] = mapped_column(String(32))
    last_seen_at: Mapped[datetime]
    environment: Mapped[dict[str, Any]]


class Baseline(Base):
    """The trusted kernel's speed on a worker, in a round, at a length."""

    __tablename__ = "baselines"

    round_number: Mapped[int] = mapped_column(
        ForeignKey("rounds.number"), primary_key=True
    )
    worker: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence_length: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False
    )
    tokens_per_sec: Mapped[float]
    samples: Mapped[list[Any]]
    environment: Mapped[dict[str, Any]]
    measured_at: Mapped[datetime]


class CanaryRun(Base):
    """A canary that a worker judged, and what came of it."""

    __tablename__ = "canary_runs"
    __table_args__ = (
        Index("ix_canary_runs_worker", "worker", "role", "canary", "id"),
        Index("ix_canary_runs_recorded", "recorded_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        SequenceNumber, primary_key=True, autoincrement=True
    )
    worker: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    pool: Mapped[str] = mapped_column(String(32))
    canary: Mapped[str] = mapped_column(String(32))
    got: Mapped[str] = mapped_column(String(32))
    is_right: Mapped[bool] = mapped_column(Boolean)
    harness_digest: Mapped[str] = mapped_column(String(64))
    seconds: Mapped[float]
    ran_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class WeightsReportRow(Base):
    """What a validator said that it set, or why it did not."""

    __tablename__ = "weights_reports"
    __table_args__ = (
        Index("ix_weights_reports_round", "round_number", "outcome"),
        Index("ix_weights_reports_validator", "validator_hotkey", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        SequenceNumber, primary_key=True, autoincrement=True
    )
    validator_hotkey: Mapped[str] = mapped_column(String(64))
    round_number: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(16))
    report: Mapped[dict[str, Any]]
    reported_at: Mapped[datetime]
