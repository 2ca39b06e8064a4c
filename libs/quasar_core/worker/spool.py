"""The spool: results on disk until the broker has taken them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from quasar_core.contracts.events import EVENTS, Event
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import SPOOLED_EVENTS
from quasar_core.worker.durable import write_durably

SUFFIX = ".event"

log = get_logger(__name__)


class Spool:
    """Events in the order in which they were kept, each in a file.

    A file appears under its name whole or not at all, and survives whatever
    ends the process; one that cannot be read is put out of the way. One
    process has a directory to itself.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.RLock()
        directory.mkdir(parents=True, exist_ok=True)
        for draft in directory.glob(".*.draft"):
            draft.unlink()
        kept = self._files()
        self._next = int(kept[-1].stem) + 1 if kept else 1
        SPOOLED_EVENTS.set(len(kept))

    def __len__(self) -> int:
        return len(self._files())

    def keep(self, event: Event) -> None:
        """Write an event to disk; raises OSError where there is no room."""
        text = json.dumps(
            {
                "event": event.event_name,
                "body": event.model_dump(mode="json"),
            }
        )
        with self._lock:
            path = self._directory / f"{self._next:012d}{SUFFIX}"
            write_durably(path, text)
            self._next += 1
            SPOOLED_EVENTS.set(len(self))

    def empty(self, publish: Callable[[Event], None]) -> None:
        """Publish all, oldest first; what `publish` raises ends it there.

        An event leaves the disk only after it was published, so after a
        crash in between it is published twice.
        """
        with self._lock:
            for path, event in self._events():
                publish(event)
                path.unlink()
                SPOOLED_EVENTS.set(len(self))

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob(f"*{SUFFIX}"))

    def _events(self) -> Iterator[tuple[Path, Event]]:
        for path in self._files():
            try:
                kept = json.loads(path.read_text())
                event = EVENTS[kept["event"]].model_validate(kept["body"])
            except (ValueError, TypeError, KeyError, ValidationError) as fault:
                log.critical("spool.unreadable", path=str(path), fault=fault)
                path.rename(path.with_suffix(".unreadable"))
                continue
            yield path, event
