"""Submissions: the life of one as a table of moves, and what is let in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from quasar_core.domain.forks import (
    InvalidCommit,
    InvalidForkUrl,
    check_commit_hash,
    check_fork_url,
    normalise_fork_url,
)
from quasar_core.errors import QuasarError

__all__ = [
    "ADMINISTRATOR_MOVES",
    "INITIAL",
    "MAX_ATTEMPTS",
    "MOVES",
    "PENDING",
    "REPEATABLE",
    "TERMINAL",
    "WAITING",
    "IllegalMove",
    "InvalidCommit",
    "InvalidForkUrl",
    "Status",
    "after_lost_attempt",
    "check_commit_hash",
    "check_fork_url",
    "move",
    "moves_to",
    "normalise_fork_url",
]

MAX_ATTEMPTS = 3


class Status(StrEnum):
    """Where a submission stands.

    A submission that waits for its verification is `verifying` without a
    live attempt: the table knows no other word for it.
    """

    COMMITTED = "committed"
    QUEUED = "queued"
    BENCHMARKING = "benchmarking"
    VERIFYING = "verifying"
    SCORED = "scored"
    REJECTED = "rejected"
    INFRA_FAILED = "infra_failed"
    QUARANTINED = "quarantined"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class IllegalMove(QuasarError, ValueError):
    """A move that is not in the table."""


_TABLE: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.COMMITTED: frozenset(
            {Status.QUEUED, Status.EXPIRED, Status.WITHDRAWN}
        ),
        Status.QUEUED: frozenset(
            {Status.BENCHMARKING, Status.WITHDRAWN, Status.INFRA_FAILED}
        ),
        Status.BENCHMARKING: frozenset(
            {
                Status.QUEUED,
                Status.VERIFYING,
                Status.REJECTED,
                Status.INFRA_FAILED,
            }
        ),
        Status.VERIFYING: frozenset(
            {
                Status.VERIFYING,
                Status.SCORED,
                Status.REJECTED,
                Status.QUARANTINED,
                Status.INFRA_FAILED,
            }
        ),
        Status.SCORED: frozenset({Status.QUARANTINED, Status.INVALIDATED}),
        Status.QUARANTINED: frozenset({Status.SCORED, Status.INVALIDATED}),
        Status.INFRA_FAILED: frozenset({Status.QUEUED}),
        Status.REJECTED: frozenset({Status.QUEUED}),
    }
)

MOVES: frozenset[tuple[Status, Status]] = frozenset(
    (start, end) for start, ends in _TABLE.items() for end in ends
)
"""Every move there is, as (from, to)."""

ADMINISTRATOR_MOVES: frozenset[tuple[Status, Status]] = frozenset(
    (start, end)
    for start, end in MOVES
    if start
    in {
        Status.SCORED,
        Status.QUARANTINED,
        Status.INFRA_FAILED,
        Status.REJECTED,
    }
)
"""Moves that an administrator makes, with a reason."""

INITIAL = frozenset({Status.COMMITTED, Status.QUEUED})
"""Where a life begins: sealed, or at once in the queue."""

WAITING = frozenset({Status.COMMITTED, Status.QUEUED})
"""Nothing was run yet; its miner may withdraw it."""

PENDING = frozenset({Status.QUEUED, Status.BENCHMARKING, Status.VERIFYING})
"""Unfinished: what a round in evaluation waits for."""

TERMINAL = frozenset(Status) - WAITING - PENDING
"""At rest: only an administrator moves it from here, if anybody."""

REPEATABLE = frozenset(
    {
        Status.INFRA_FAILED,
        Status.EXPIRED,
        Status.WITHDRAWN,
        Status.INVALIDATED,
    }
)
"""Ends after which the same submission may be sent again in its round."""


def move(start: Status, end: Status) -> None:
    """Allow the move from `start` to `end`, or raise IllegalMove."""
    if (start, end) not in MOVES:
        raise IllegalMove(f"a submission never moves from {start} to {end}")


def moves_to(start: Status, end: Status) -> tuple[Status, ...]:
    """The statuses to pass through, `end` last.

    A completion that arrives before its start implies the start, so a
    queued submission may reach what only a benchmarked one can. Raises
    IllegalMove where that does not help either.
    """
    if (start, end) in MOVES:
        return (end,)
    if start is Status.QUEUED:
        move(Status.BENCHMARKING, end)
        return (Status.BENCHMARKING, end)
    raise IllegalMove(f"a submission never moves from {start} to {end}")


def after_lost_attempt(status: Status, attempts: int) -> Status:
    """Where a submission goes when its attempt was lost.

    `attempts` counts those made in this status, the lost one included. A
    dispatch that never started is an attempt at a queued submission, which
    stays where it is while it may be tried again. Raises IllegalMove for a
    status that has no attempts.
    """
    if status not in PENDING:
        raise IllegalMove(f"a submission that is {status} has no attempts")
    if attempts >= MAX_ATTEMPTS:
        return Status.INFRA_FAILED
    if status is Status.VERIFYING:
        return Status.VERIFYING
    return Status.QUEUED
