"""Publishing: what lies in the outbox reaches the broker, at least once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from quasar_core.messaging.bus import Bus, BusUnavailable
from quasar_core.telemetry.logs import get_logger

from services.api.db import outbox
from services.api.db.session import Database

LONGEST_REST_SECONDS = 5.0

log = get_logger("api.publishing")


class Publisher:
    """Publishes what is due; rests a while after the broker was away.

    The broker is never spoken to inside a transaction: whoever submits
    does not wait for a broker that hangs.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._bus = bus
        self._monotonic = monotonic
        self._failures = 0
        self._rest_until = 0.0

    def publish(self, now: datetime) -> int:
        """Publish everything that is due; how many the broker took."""
        if self._monotonic() < self._rest_until:
            return 0
        published = 0
        done = outbox.AT_ONCE
        # Fewer than all: nothing more was due, or the broker went away.
        while done == outbox.AT_ONCE:
            with self._database.write() as session:
                parcels = outbox.claim(session, now)
            done = self._publish_all(parcels)
            self._note(parcels, done, now)
            published += done
        return published

    def _publish_all(self, parcels: tuple[outbox.Parcel, ...]) -> int:
        """Publish them in their order; how many the broker took."""
        for done, parcel in enumerate(parcels):
            try:
                self._bus.publish(parcel.event, parcel.pool)
            except BusUnavailable as fault:
                self._rest(fault)
                return done
            self._failures = 0
        return len(parcels)

    def _note(
        self, parcels: tuple[outbox.Parcel, ...], done: int, now: datetime
    ) -> None:
        """Note what the broker took, and give back what it did not."""
        if not parcels:
            return
        with self._database.write() as session:
            outbox.mark_published(session, parcels[:done], now)
            outbox.release(session, parcels[done:])

    def _rest(self, fault: BusUnavailable) -> None:
        self._failures += 1
        seconds = min(0.1 * 2**self._failures, LONGEST_REST_SECONDS)
        self._rest_until = self._monotonic() + seconds
        log.warning("broker.away", fault=str(fault), next_try_seconds=seconds)
