"""Streams: a submission's moves and stages as they happen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi.sse import format_sse_event
from quasar_core.domain.submissions import TERMINAL, Status
from quasar_core.errors import Problem, ProblemCode

from services.api.db.session import Database, DatabaseUnavailable
from services.api.submissions import repository, views

READERS = 4
RETRY_MILLISECONDS = 2_000
HEARTBEAT = b": still here\n\n"


class Streams:
    """How many streams there are, and how many there may be."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = 0
        self.readers = CapacityLimiter(READERS)

    def enter(self) -> None:
        """Count one more; Problem 503 where there are enough."""
        if self._open >= self._limit:
            raise Problem(
                503,
                ProblemCode.UNAVAILABLE,
                "there are enough open streams; ask again, or poll",
                headers={"Retry-After": "5"},
            )
        self._open += 1

    def leave(self) -> None:
        """Count one less."""
        self._open -= 1


@dataclass(frozen=True)
class Pace:
    """How often a stream looks, and how often it says that it lives."""

    poll_seconds: float
    heartbeat_seconds: float


@dataclass(frozen=True)
class Chapter:
    """What is new of a submission, and whether that is all there will be."""

    messages: tuple[bytes, ...]
    last_sequence: int
    ended: bool


def read_on(database: Database, submission_id: UUID, after: int) -> Chapter:
    """The log of a submission above a sequence number, as messages."""
    with database.read() as session:
        rows = repository.history(session, submission_id, after)
        submission = repository.by_id(session, submission_id)
    moves = [views.told(row) for row in rows]
    last = moves[-1].sequence if moves else after
    done = submission is None or Status(submission.status) in TERMINAL
    return Chapter(
        messages=tuple(
            format_sse_event(
                data_str=move.model_dump_json(),
                event=move.kind,
                id=str(move.sequence),
            )
            for move in moves
        ),
        last_sequence=last,
        ended=done and not moves,
    )


async def tell(
    database: Database,
    submission_id: UUID,
    after: int,
    *,
    streams: Streams,
    pace: Pace,
    stopping: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """The stream: what happened, what happens, and its end.

    `streams` was entered before; it is left when the stream ends, however
    it does. The database is read in a few threads of its own, so that
    streams never keep requests waiting.
    """
    try:
        yield format_sse_event(retry=RETRY_MILLISECONDS)
        quiet_since = anyio.current_time()
        while not stopping():
            try:
                chapter = await to_thread.run_sync(
                    read_on,
                    database,
                    submission_id,
                    after,
                    limiter=streams.readers,
                )
            except DatabaseUnavailable:
                return  # the client comes back with the id it saw last
            after = chapter.last_sequence
            for message in chapter.messages:
                quiet_since = anyio.current_time()
                yield message
            if chapter.ended:
                yield format_sse_event(event="end", data_str="{}")
                return
            if anyio.current_time() - quiet_since > pace.heartbeat_seconds:
                quiet_since = anyio.current_time()
                yield HEARTBEAT
            await anyio.sleep(pace.poll_seconds)
    finally:
        streams.leave()
