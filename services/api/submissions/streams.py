"""Streams: a submission's moves and stages as they happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from quasar_core.domain.submissions import TERMINAL, Status
from quasar_core.errors import Problem, ProblemCode
from starlette.types import Receive, Scope, Send

from services.api.db.session import Database, DatabaseUnavailable
from services.api.submissions import repository, views

READERS = 4
RETRY_MILLISECONDS = 2_000
HEARTBEAT = b": still here\n\n"


class Streams:
    """How many streams there are, and how many there may be."""

    def __init__(self, limit: int, per_client: int) -> None:
        self._limit = limit
        self._per_client = per_client
        self._open: Counter[str] = Counter()
        self.readers = CapacityLimiter(READERS)

    @contextmanager
    def entered(self, client: str) -> Iterator[None]:
        """One stream more of this client's, while it lasts."""
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            self._open += Counter()  # forgets who has none

    def check(self, client: str) -> None:
        """Problem 429 where a client, 503 where all have enough."""
        if self._open[client] >= self._per_client:
            raise Problem(
                429,
                ProblemCode.RATE_LIMITED,
                f"{self._per_client} streams are open for this address;"
                " close one, or poll",
                headers={"Retry-After": "5"},
            )
        if self._open.total() >= self._limit:
            raise Problem(
                503,
                ProblemCode.UNAVAILABLE,
                "there are enough open streams; ask again, or poll",
                headers={"Retry-After": "5"},
            )


class Stream(StreamingResponse):
    """An answer that counts as a stream, however it ends.

    Counting is not the generator's: one whose client goes before the first
    message is never begun.
    """

    def __init__(
        self, messages: AsyncIterator[bytes], streams: Streams, client: str
    ) -> None:
        super().__init__(
            messages,
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._streams = streams
        self._client = client

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Tell it all."""
        with self._streams.entered(self._client):
            await super().__call__(scope, receive, send)


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

    The database is read in a few threads of its own, so that streams never
    keep requests waiting.
    """
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
