"""The tables of the logbook: shifts, tries, judgings, and paid calls."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class State(StrEnum):
    """How far a try has come. All but the last three go on."""

    PROPOSED = "proposed"
    """Written down; judged anew if that was cut short."""
    KEPT = "kept"
    """Right and faster: the best; not in git yet."""
    COMMITTED = "committed"
    """In git; not handed in yet."""
    SEALED = "sealed"
    """Its hash was posted; it is pushed and revealed when its block comes."""
    REVEALED = "revealed"
    """In the platform's queue, or in judging."""
    DECIDED = "decided"
    """The platform has spoken."""
    OVERTAKEN = "overtaken"
    """A better one was there before this one was handed in."""
    DISCARDED = "discarded"
    """Wrong, not faster, or not to be judged: it was never in git."""


IN_GIT = frozenset(
    {
        State.COMMITTED,
        State.SEALED,
        State.REVEALED,
        State.DECIDED,
        State.OVERTAKEN,
    }
)
BEST = frozenset({State.KEPT, *IN_GIT})
IN_FLIGHT = frozenset({State.SEALED, State.REVEALED})


def now() -> datetime:
    """The present, in UTC, as SQLite keeps it: without its zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    """All tables of the logbook."""

    type_annotation_map = {dict[str, Any]: JSON, datetime: DateTime}


class Shift(Base):
    """The agent at work, from its start to its proper end.

    One that was killed is gone on with, and its budgets with it.
    """

    __tablename__ = "shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(default=now)
    worked_seconds: Mapped[float] = mapped_column(default=0.0)
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None] = mapped_column(Text)


class Try(Base):
    """One change to the best kernel, and what came of it.

    The first of all is the kernel that the agent began with. `files` are
    those that the change replaces, `choices` where a search stood with it.
    """

    __tablename__ = "tries"

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tries.id"))
    is_start: Mapped[bool] = mapped_column(default=False)
    sequence_length: Mapped[int]
    proposer: Mapped[str] = mapped_column(String(32))
    summary: Mapped[str] = mapped_column(Text)
    files: Mapped[dict[str, Any]] = mapped_column(default=dict)
    choices: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(16), index=True)
    result: Mapped[str] = mapped_column(Text, default="")
    code: Mapped[str | None] = mapped_column(String(64))
    tokens_per_sec: Mapped[float | None]
    speedup: Mapped[float | None]
    gain_low: Mapped[float | None]
    gain_high: Mapped[float | None]
    commit_hash: Mapped[str | None] = mapped_column(String(40))
    commitment_hash: Mapped[str | None] = mapped_column(String(64))
    submission_id: Mapped[str | None] = mapped_column(String(36))
    sent: Mapped[int] = mapped_column(default=0)
    status: Mapped[str | None] = mapped_column(String(32))
    began_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class Judging(Base):
    """A judging of a try, written down before it is begun.

    `fault` is why it came to no verdict, where that was heard.
    """

    __tablename__ = "judgings"

    id: Mapped[int] = mapped_column(primary_key=True)
    try_id: Mapped[int] = mapped_column(ForeignKey("tries.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(default=now)
    fault: Mapped[str | None] = mapped_column(Text)


class Call(Base):
    """A call to a model that costs money.

    `reserved` is the most that it can cost, written down before it is made;
    `cost` what it did, and None where nobody heard.
    """

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"))
    began_at: Mapped[datetime] = mapped_column(default=now)
    reserved: Mapped[float]
    cost: Mapped[float | None]
