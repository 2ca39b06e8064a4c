"""Leases: who noticed that a worker, or a message, is no more."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from quasar_core.messaging.bus import Bus, BusUnavailable
from quasar_core.messaging.topology import RECORDING
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import LEASE_EXPIRIES, VERDICTS

from services.api.attempts import repository
from services.api.attempts.endings import give_up, not_delivered
from services.api.attempts.repository import Job, State
from services.api.db.models import Attempt
from services.api.db.session import Database

ACTOR = "scheduler"

log = get_logger("api.leases")


class Leases:
    """Ends what has gone silent, and nothing whose word is on its way.

    A heartbeat that waits to be recorded has been sent, and while the
    broker is away none can be: silence counts only when both are past.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        *,
        lease_seconds: float,
        lease_grace_seconds: float,
        dispatch_lost_seconds: float,
        retry_backoff_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._bus = bus
        self._lease_seconds = lease_seconds
        self._grace = timedelta(seconds=lease_grace_seconds)
        self._lost_after = timedelta(seconds=dispatch_lost_seconds)
        self._backoff_seconds = retry_backoff_seconds
        self._monotonic = monotonic
        self._silence_since: float | None = None
        VERDICTS.labels("failed_run")
        for job in Job:
            LEASE_EXPIRIES.labels(job.value)

    def check(self, now: datetime) -> int:
        """End every attempt that is lost by now; how many were."""
        with self._database.read() as session:
            expired = repository.expired(session, now)
            silent = repository.undelivered(session, now - self._lost_after)
            if not expired and not silent:
                return 0
        backlog = self._backlog()
        if backlog is None:
            return 0
        if backlog:
            expired = [
                attempt
                for attempt in expired
                if attempt.lease_until
                and attempt.lease_until + self._grace < now
            ]
        ended = sum(self._expire(attempt.id, now) for attempt in expired)
        if not backlog:
            ended += self._lost_messages(silent, now)
        return ended

    def _backlog(self) -> int | None:
        """Messages that wait to be recorded; None: it cannot be known.

        After the broker was away, workers get a lease's time to speak.
        """
        try:
            depth = self._bus.depth(RECORDING)
        except BusUnavailable:
            self._silence_since = self._monotonic()
            return None
        if self._silence_since is not None:
            if self._monotonic() < self._silence_since + self._lease_seconds:
                return None
            self._silence_since = None
        return depth

    def _expire(self, attempt_id: UUID, now: datetime) -> bool:
        with self._database.write() as session:
            found = repository.locked(session, attempt_id)
            if found is None:
                return False
            submission, attempt = found
            renewed = attempt.lease_until is None or attempt.lease_until >= now
            if attempt.state != State.STARTED or renewed:
                return False
            LEASE_EXPIRIES.labels(attempt.kind).inc()
            give_up(
                session,
                submission,
                attempt,
                State.LOST,
                reason="the worker went silent",
                actor=ACTOR,
                now=now,
                backoff_seconds=self._backoff_seconds,
            )
            return True

    def _lost_messages(self, silent: Sequence[Attempt], now: datetime) -> int:
        """End the oldest messages of each queue that are not in it."""
        gone = self._gone_by_queue()
        ended = 0
        for attempt in silent:
            queue = (Job(attempt.kind).queue, attempt.pool)
            if gone.get(queue, 0) <= 0:
                continue
            gone[queue] -= 1
            ended += self._undelivered(attempt.id, now)
        return ended

    def _gone_by_queue(self) -> Counter[tuple[str, str]]:
        gone: Counter[tuple[str, str]] = Counter()
        with self._database.read() as session:
            published = repository.outstanding_by_queue(session)
        for (queue, pool), number in published.items():
            try:
                depth = self._bus.depth(f"{queue}.{pool}")
            except BusUnavailable:
                continue
            gone[queue, pool] = number - depth
        return gone

    def _undelivered(self, attempt_id: UUID, now: datetime) -> bool:
        with self._database.write() as session:
            found = repository.locked(session, attempt_id)
            if found is None or found[1].state != State.DISPATCHED:
                return False
            not_delivered(session, found[1], now)
            return True
