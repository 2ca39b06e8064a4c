"""The tables of the game: rounds, submissions, attempts, standings."""

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
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.api.db.base import Base, only_where

LIVE_ATTEMPT = text("state IN ('dispatched', 'started')")
AT_THE_DOOR = text(
    "status NOT IN ('committed', 'infra_failed', 'expired', 'withdrawn',"
    " 'invalidated')"
)
UNREVEALED = text("status = 'committed'")
OPEN_ROUND = text("status = 'open'")


class Round(Base):
    """A round, with the settings that were frozen when it opened."""

    __tablename__ = "rounds"
    __table_args__ = (
        Index(
            "uq_rounds_one_open",
            "status",
            unique=True,
            **only_where(OPEN_ROUND),
        ),
    )

    number: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False
    )
    status: Mapped[str] = mapped_column(String(16))
    pool: Mapped[str] = mapped_column(String(32))
    settings: Mapped[dict[str, Any]]
    opened_at_block: Mapped[int] = mapped_column(BigInteger)
    closes_at_block: Mapped[int] = mapped_column(BigInteger)
    evaluating_since_block: Mapped[int | None] = mapped_column(BigInteger)
    finalised_at_block: Mapped[int | None] = mapped_column(BigInteger)
    opened_at: Mapped[datetime]
    finalised_at: Mapped[datetime | None]
    harness_digest: Mapped[str | None] = mapped_column(String(64))
    log_hash: Mapped[str | None] = mapped_column(String(64))
    burn_share: Mapped[float] = mapped_column(default=0.0)
    results_version: Mapped[int] = mapped_column(Integer, default=0)


class Source(Base):
    """The kernel files of a commit, archived once per content."""

    __tablename__ = "sources"

    tree_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    identity: Mapped[str] = mapped_column(String(64), index=True)
    files: Mapped[list[Any]]
    created_at: Mapped[datetime]


class Submission(Base):
    """A commit that a miner wants to be judged at a length.

    Until a commitment is revealed nobody here knows what it seals: fork,
    commit and league are empty, and length and multiplier are zero.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        Index(
            "uq_submissions_door",
            "round_number",
            "hotkey",
            "fork_url",
            "commit_hash",
            "target_sequence_length",
            unique=True,
            **only_where(AT_THE_DOOR),
        ),
        Index(
            "uq_submissions_commitment",
            "hotkey",
            "commitment_hash",
            unique=True,
        ),
        Index("uq_submissions_salt", "hotkey", "salt", unique=True),
        Index(
            "ix_submissions_unrevealed",
            "reveal_until_block",
            **only_where(UNREVEALED),
        ),
        Index("ix_submissions_queue", "status", "commit_block", "id"),
        Index("ix_submissions_round_status", "round_number", "status"),
        Index("ix_submissions_round_id", "round_number", "id"),
        Index("ix_submissions_coldkey", "coldkey", "status", "round_number"),
        Index("ix_submissions_hotkey", "hotkey", "id"),
        Index("ix_submissions_work", "identity", "target_sequence_length"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    round_number: Mapped[int] = mapped_column(ForeignKey("rounds.number"))
    hotkey: Mapped[str] = mapped_column(String(64))
    coldkey: Mapped[str] = mapped_column(String(64))
    fork_url: Mapped[str] = mapped_column(String(512))
    commit_hash: Mapped[str] = mapped_column(String(40))
    target_sequence_length: Mapped[int] = mapped_column(BigInteger)
    league: Mapped[str] = mapped_column(String(16))
    multiplier: Mapped[float]
    commit_block: Mapped[int] = mapped_column(BigInteger)
    commitment_hash: Mapped[str | None] = mapped_column(String(64))
    reveal_from_block: Mapped[int | None] = mapped_column(BigInteger)
    reveal_until_block: Mapped[int | None] = mapped_column(BigInteger)
    salt: Mapped[str | None] = mapped_column(String(128))
    is_rerun: Mapped[bool] = mapped_column(Boolean, default=False)
    status: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str | None] = mapped_column(String(16))
    not_before: Mapped[datetime | None]
    claimed_tokens_per_sec: Mapped[float | None]
    claimed_benchmarks: Mapped[dict[str, Any] | None]
    tree_hash: Mapped[str | None] = mapped_column(
        ForeignKey("sources.tree_hash")
    )
    identity: Mapped[str | None] = mapped_column(String(64))
    code: Mapped[str | None] = mapped_column(String(32))
    rejection: Mapped[dict[str, Any] | None]
    manifest: Mapped[dict[str, Any] | None]
    correctness: Mapped[dict[str, Any] | None]
    timing: Mapped[dict[str, Any] | None]
    logits: Mapped[dict[str, Any] | None]
    tokens_per_sec: Mapped[float | None]
    tokens_per_sec_low: Mapped[float | None]
    tokens_per_sec_high: Mapped[float | None]
    speedup_vs_baseline: Mapped[float | None]
    weighted_score: Mapped[float | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def is_sealed(self) -> bool:
        """Whether nobody here knows what it is a submission of."""
        return self.commitment_hash is not None and self.salt is None


class Challenge(Base):
    """A passage that is run once more before it counts."""

    __tablename__ = "challenges"
    __table_args__ = (
        Index(
            "uq_challenges_pair",
            "round_number",
            "challenger_id",
            "defender_id",
            unique=True,
        ),
        Index("ix_challenges_open", "outcome", "round_number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    round_number: Mapped[int] = mapped_column(ForeignKey("rounds.number"))
    challenger_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    defender_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    outcome: Mapped[str | None] = mapped_column(String(16))
    ratio_low: Mapped[float | None]
    ratio_high: Mapped[float | None]
    report: Mapped[dict[str, Any] | None]
    not_before: Mapped[datetime | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Attempt(Base):
    """One try at one job of a submission, by one worker, with one token."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index(
            "uq_attempts_one_live",
            "submission_id",
            unique=True,
            **only_where(LIVE_ATTEMPT),
        ),
        Index("ix_attempts_queue", "kind", "pool", "state"),
        Index("ix_attempts_lease", "state", "lease_until"),
        Index("ix_attempts_submission", "submission_id", "minted_at"),
        Index("ix_attempts_finished", "kind", "finished_at"),
        Index("ix_attempts_challenge", "challenge_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    # a plain id: SQLite adds no reference to a table that is there
    challenge_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(16))
    number: Mapped[int] = mapped_column(Integer)
    pool: Mapped[str] = mapped_column(String(32))
    fencing_token: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    worker: Mapped[str | None] = mapped_column(String(64))
    minted_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
    seed_commitment: Mapped[str | None] = mapped_column(String(64))
    held: Mapped[dict[str, Any] | None]


class PassedStage(Base):
    """A stage that an attempt passed, and how long it took."""

    __tablename__ = "stages"

    attempt_id: Mapped[UUID] = mapped_column(
        ForeignKey("attempts.id"), primary_key=True
    )
    stage: Mapped[str] = mapped_column(String(16), primary_key=True)
    seconds: Mapped[float]
    detail: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class Standing(Base):
    """A row of a round's frozen standings; written once."""

    __tablename__ = "standings"

    round_number: Mapped[int] = mapped_column(
        ForeignKey("rounds.number"), primary_key=True
    )
    place: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False
    )
    level: Mapped[int] = mapped_column(Integer)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    hotkey: Mapped[str] = mapped_column(String(64))
    coldkey: Mapped[str] = mapped_column(String(64))
    league: Mapped[str] = mapped_column(String(16))
    target_sequence_length: Mapped[int] = mapped_column(BigInteger)
    tokens_per_sec: Mapped[float]
    weighted_score: Mapped[float]
    speedup_vs_baseline: Mapped[float]
    commit_block: Mapped[int] = mapped_column(BigInteger)
    paid_place: Mapped[int | None] = mapped_column(Integer)
    share: Mapped[float]
    unpaid_reason: Mapped[str | None] = mapped_column(String(64))
    founded_by: Mapped[UUID | None]
    """Whose level it is: the submission that founded it."""
