"""The web: HTTP, until it is told to stop."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import uvicorn
from quasar_core.errors import Problem
from quasar_core.telemetry.logs import get_logger

from services.api.app import create_app
from services.api.miners.service import identify
from services.api.starting import start

DRAIN_SECONDS = 5
KEEP_ALIVE_SECONDS = 15

log = get_logger("api.web")


def warm_up(receiver: str) -> None:
    """Load what checks signatures: its second is not the first miner's."""
    with suppress(Problem):
        identify({"X-Bittensor-Version": "0"}, b"", "GET", "/", (receiver,))


def main() -> int:
    """Serve until SIGTERM or SIGINT; then finish what was begun."""
    doors = start("api.web")
    settings = doors.settings
    app = create_app(settings, doors)
    warm_up(settings.receiver_hotkey)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    app.state.stopping = lambda: server.should_exit
    # the server raises the signal again once it has stopped: a process that
    # was told to stop has ended well
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    try:
        server.run()
    finally:
        doors.close()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
