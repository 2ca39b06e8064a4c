"""The post: how a worker's events leave it, with and without patience."""

from __future__ import annotations

from collections.abc import Callable

from quasar_core.contracts.events import Event
from quasar_core.errors import TransientError
from quasar_core.telemetry.logs import get_logger
from quasar_core.worker.spool import Spool

log = get_logger(__name__)


class Post:
    """Tells what may be missed, and delivers what may not.

    `publish` raises TransientError where the broker is away. Safe to share
    between threads.
    """

    def __init__(self, publish: Callable[[Event], None], spool: Spool) -> None:
        self._publish = publish
        self._spool = spool

    def tell(self, event: Event) -> None:
        """Publish now or never: a heartbeat, a stage that was passed."""
        try:
            self._publish(event)
        except TransientError as fault:
            log.warning(
                "event.missed", event_name=event.event_name, fault=str(fault)
            )

    def deliver(self, event: Event) -> None:
        """Publish now or later: it is on disk until the broker took it."""
        try:
            self._spool.keep(event)
        except OSError as fault:
            # Without a disk the result still has this one chance.
            log.critical("spool.full", fault=str(fault))
            self.tell(event)
        self.flush()

    def flush(self) -> bool:
        """Publish what is on disk, oldest first; whether nothing is left."""
        try:
            self._spool.empty(self._publish)
        except TransientError as fault:
            log.warning(
                "events.waiting", count=len(self._spool), fault=str(fault)
            )
            return False
        return True
