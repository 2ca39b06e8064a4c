"""Serving: the API, and the reference beside it, as real processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis

from deploy.local.broker import broker
from deploy.local.environment import base_environment, free_port
from deploy.local.load import reference
from deploy.local.load.generator import Shot, fire, request
from deploy.local.load.shots import MINERS, RECEIVER, hotkey, key
from deploy.local.processes import Processes, Program

NETUID = 24
UNBOUND = str(10**6)


def environment_of(
    folder: Path, url: str, redis_url: str, port: int
) -> dict[str, str]:
    """What the API's processes read: every quota and limit is off."""
    return {
        **base_environment(),
        "QUASAR_DATABASE_URL": url,
        "QUASAR_REDIS_URL": redis_url,
        "QUASAR_CHAIN_URL": f"local://{folder}/chain.json",
        "QUASAR_NETUID": str(NETUID),
        "QUASAR_RECEIVER_HOTKEY": RECEIVER,
        "QUASAR_PORT": str(port),
        "QUASAR_LOG_LEVEL": "WARNING",
        "QUASAR_QUOTA_WAITING_PER_LEAGUE": UNBOUND,
        "QUASAR_QUOTA_JUDGED_PER_ROUND": UNBOUND,
        "QUASAR_REQUESTS_PER_MINUTE": "0",
        "QUASAR_WRITES_PER_MINUTE": "0",
        "QUASAR_AUTH_FAILURES": "0",
    }


def make_chain(folder: Path) -> LocalChain:
    """A chain on which the miners of the shots are registered."""
    chain = LocalChain.create(folder / "chain.json", Genesis(netuid=NETUID))
    for number in range(MINERS):
        chain.register(hotkey(number), key(f"cold-{number}").ss58_address)
    return chain


@contextmanager
def served(folder: Path, url: str) -> Iterator[int]:
    """The API as real processes over this database; the port of its web."""
    make_chain(folder)
    port = free_port()
    valkey, doors = broker(folder / "broker", {})
    environment = environment_of(folder, url, doors.platform, port)
    with Processes(folder / "logs") as processes:
        processes.start(valkey)
        for name in ("scheduler", "web"):
            processes.start(
                Program(
                    name,
                    (sys.executable, "-m", f"services.api.{name}"),
                    environment,
                    ready=lambda name=name: name != "web"
                    or answers(port, "/rounds/current"),
                )
            )
        yield port


@contextmanager
def referred(folder: Path, url: str) -> Iterator[int]:
    """The reference as a process over the same database; its port."""
    port = free_port()
    program = Program(
        "reference",
        (sys.executable, "-m", reference.__name__, url, str(port)),
        base_environment(),
        ready=lambda: answers(port, "/openapi.json"),
    )
    with Processes(folder / "logs") as processes:
        processes.start(program)
        yield port


def answers(port: int, path: str) -> bool:
    """Whether a server answers a GET with 200."""
    volley = fire(port, [Shot(0.0, request("GET", path))])
    return volley.statuses() == {200: 1}
