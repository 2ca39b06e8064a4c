"""The scheduler: dispatch, leases, rounds, sealing; one loop, no state."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quasar_core.chain.chain import ChainUnavailable
from quasar_core.errors import TransientError
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import CRASHES, GAUGES_REFRESHED

from services.api import gauges
from services.api.attempts.dispatching import dispatch, dispatch_challenges
from services.api.attempts.leases import Leases
from services.api.attempts.outlook import outlook
from services.api.canaries import repository as canaries
from services.api.commitments.service import expire_overdue
from services.api.db import eventlog, outbox
from services.api.dependencies import Doors
from services.api.leaderboard.turning import turn_rounds
from services.api.miners.repository import purge_nonces
from services.api.publishing import Publisher
from services.api.recording.repository import forget_before
from services.api.starting import start

LEASE_CHECK_SECONDS = 1.0
GAUGE_SECONDS = 2.0
PURGE_SECONDS = 30.0
REST_SECONDS = 1.0
OUTBOX_KEPT = timedelta(hours=1)
EVENTS_KEPT = timedelta(days=7)

log = get_logger("api.scheduler")


@dataclass
class Duty:
    """Something that the scheduler does every so often."""

    name: str
    every_seconds: float
    deed: Callable[[datetime], object]
    due_at: float = 0.0


class Scheduler:
    """Does each duty when it is due; a duty that fails keeps none waiting.

    All state is in the database: one that is killed at any point, and two
    that run at once, do no harm.
    """

    def __init__(
        self,
        doors: Doors,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = doors.settings
        self._doors = doors
        self._monotonic = monotonic
        self._publisher = Publisher(doors.database, doors.bus, monotonic)
        self._leases = Leases(
            doors.database,
            doors.bus,
            lease_seconds=settings.lease_seconds,
            lease_grace_seconds=settings.lease_grace_seconds,
            dispatch_lost_seconds=settings.dispatch_lost_seconds,
            retry_backoff_seconds=settings.retry_backoff_seconds,
            monotonic=monotonic,
        )
        self.duties: Sequence[Duty] = (
            Duty("rounds", settings.round_poll_seconds, self.turn),
            Duty("commitments", settings.round_poll_seconds, self.expire),
            Duty("leases", LEASE_CHECK_SECONDS, self._leases.check),
            Duty("dispatch", settings.scheduler_poll_seconds, self.dispatch),
            Duty("seal", settings.seal_seconds, self.seal),
            Duty("purge", PURGE_SECONDS, self.purge),
            Duty("gauges", GAUGE_SECONDS, self.measure),
        )
        for duty in self.duties:
            CRASHES.labels(f"scheduler.{duty.name}")
        GAUGES_REFRESHED.set(doors.clock().timestamp())

    def run(self, stopping: threading.Event) -> None:
        """Do what is due until told to stop."""
        log.info("scheduler.started")
        while not stopping.wait(self._doors.settings.scheduler_poll_seconds):
            self.tick()
        log.info("scheduler.stopped")

    def tick(self) -> None:
        """Do every duty that is due now."""
        for duty in self.duties:
            if self._monotonic() >= duty.due_at:
                rest = self._do(duty)
                duty.due_at = self._monotonic() + rest

    def _do(self, duty: Duty) -> float:
        """Do a duty; the seconds until it is due again."""
        # pylint: disable=broad-exception-caught
        try:
            duty.deed(self._doors.clock())
        except TransientError as fault:
            log.warning("duty.put_off", duty=duty.name, fault=str(fault))
            return max(duty.every_seconds, REST_SECONDS)
        except Exception:
            CRASHES.labels(f"scheduler.{duty.name}").inc()
            log.exception("duty.crashed", duty=duty.name)
            return max(duty.every_seconds, REST_SECONDS)
        return duty.every_seconds

    def dispatch(self, now: datetime) -> None:
        """Fill the queues of the workers, and publish what is due."""
        ahead = self._doors.settings.dispatch_ahead
        database = self._doors.database
        with database.read() as session:
            seen = outlook(session, ahead, now)
        added = 0
        if seen.pool is not None:
            if seen.contested:
                with database.write() as session:
                    added += dispatch_challenges(
                        session, seen.pool, ahead, now
                    )
            for job in seen.jobs:
                with database.write() as session:
                    added += dispatch(session, job, seen.pool, ahead, now)
        if seen.due or added:
            self._publisher.publish(now)

    def turn(self, now: datetime) -> None:
        """Move rounds along, as far as the chain's height says."""
        try:
            height = self._doors.registry.height()
        except ChainUnavailable as fault:
            log.warning("rounds.wait_for_chain", fault=str(fault))
            return
        turn_rounds(self._doors.database, self._doors.settings, height, now)

    def expire(self, now: datetime) -> None:
        """Let commitments expire that were not revealed in their window."""
        try:
            height = self._doors.registry.height()
        except ChainUnavailable:
            return  # `turn` says so
        expire_overdue(self._doors.database, height, now)

    def seal(self, now: datetime) -> None:
        """Seal what was added to the event log.

        Writers wait while its end is looked at, and not for the block.
        """
        database = self._doors.database
        with database.read() as session:
            if eventlog.unsealed(session) == 0:
                return
        with database.write(sealing=True) as session:
            until = eventlog.last_sequence(session)
        with database.write(owner=eventlog.SEALER) as session:
            eventlog.seal(session, now, until)

    def purge(self, now: datetime) -> None:
        """Forget what cannot matter again."""
        with self._doors.database.write() as session:
            purge_nonces(session, now)
            canaries.purge(session, now)
            outbox.purge(session, now - OUTBOX_KEPT)
            forget_before(session, now - EVENTS_KEPT)

    def measure(self, now: datetime) -> None:
        """Bring the gauges up to date."""
        height = self._doors.registry.last_height()
        with self._doors.database.read() as session:
            gauges.update(
                session, height, now, self._doors.settings.canary_seconds
            )


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    doors = start("api.scheduler")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        Scheduler(doors).run(stopping)
    finally:
        doors.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
