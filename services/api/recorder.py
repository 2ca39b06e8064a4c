"""The recorder: hears what workers tell, and writes it down."""

from __future__ import annotations

import sys

from quasar_core.chain.keys import worker_verifier
from quasar_core.messaging.consumer import Consumer
from quasar_core.messaging.topology import RECORDING
from quasar_core.telemetry.logs import get_logger

from services.api.dependencies import Doors
from services.api.recording.service import Recorder
from services.api.starting import start

log = get_logger("api.recorder")


def make_consumer(doors: Doors) -> Consumer:
    """The consumer of `recording`, over the recorder's handlers.

    With registered workers, only what one of them signed is heard.
    """
    settings = doors.settings
    recorder = Recorder(
        doors.database,
        clock=doors.clock,
        lease_seconds=settings.lease_seconds,
        backoff_seconds=settings.retry_backoff_seconds,
    )
    verify = None
    if settings.worker_hotkeys:
        verify = worker_verifier(settings.worker_hotkeys)
    else:
        log.warning("recorder.hears_anybody", hint="QUASAR_WORKER_HOTKEYS")
    return Consumer(settings.redis_url, RECORDING, recorder.handlers(), verify)


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    doors = start("api.recorder")
    try:
        make_consumer(doors).run()
    finally:
        doors.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
