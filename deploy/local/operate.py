"""Keeping processes up until somebody says stop."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from deploy.local.environment import HOST, free_port
from deploy.local.identities import NETUID
from deploy.local.miners.forks import make_fork
from deploy.local.miners.kinds import kind_named
from deploy.local.processes import Processes
from deploy.local.rules import Rules
from deploy.local.screen import Screen
from deploy.local.session import Interrupted
from deploy.local.stack import Stack

CHECK_SECONDS = 1.0
MINER_FILE = "miner.env"


def run_stack(folder: Path, rules: Rules, port: int, *, fresh: bool) -> None:
    """Run the whole platform until it is interrupted.

    Raises ProcessFault where a process does not start, or ends.
    """
    screen = Screen()
    with Stack(
        folder, rules, api_port=usable_port(port), fresh=fresh
    ) as stack:
        stack.start(screen.tell)
        write_miner_file(stack)
        make_slow_fork(stack)
        for line in welcome(stack):
            screen.say(line)
        watch_over(stack.processes, screen)


def watch_over(processes: Processes, screen: Screen) -> None:
    """Return when interrupted; raises ProcessFault where one has ended."""
    try:
        while True:
            processes.check()
            time.sleep(CHECK_SECONDS)
    except Interrupted:
        screen.tell("stopping everything that was started")


def usable_port(wanted: int) -> int:
    """`wanted` if nobody listens there; else some port that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return free_port()
        return probe.getsockname()[1]


def write_miner_file(stack: Stack) -> None:
    """Write what a miner's shell on this machine needs to find the stack."""
    settings = {
        "QUASAR_API_URL": stack.wiring.api_url,
        "QUASAR_CHAIN_URL": stack.place.chain_url,
        "QUASAR_NETUID": str(NETUID),
        "QUASAR_WALLET_PATH": str(stack.place.wallets),
    }
    (stack.place.root / MINER_FILE).write_text(
        "".join(f"export {name}={value}\n" for name, value in settings.items())
    )


def make_slow_fork(stack: Stack) -> None:
    """Make the demo's slow fork, unless it lies there already."""
    if not stack.place.slow_fork.exists():
        make_fork(stack.place.slow_fork, kind_named("honest_slow"))


def welcome(stack: Stack) -> tuple[str, ...]:
    """What a newcomer is told once everything runs."""
    api, root = stack.wiring.api_url, stack.place.root
    length = 2 * stack.rules.league_unit
    return (
        "",
        "QUASAR is up; Ctrl-C stops it.",
        f"  API          {api}  (its interface: {api}/docs)",
        f"  leaderboard  {api}/leaderboard",
        f"  round        {api}/rounds/current",
        f"  logs         {stack.place.logs}",
        f"  metrics      {stack.place.targets}  (for Prometheus)",
        "",
        "To take part, in another terminal:",
        f"  . {root / MINER_FILE}",
        "  quasar miner init --repo-path my-fork",
        f"  quasar validate --repo-path my-fork --seq-len {length}",
        f"  quasar miner submit --repo-path my-fork --seq-len {length}",
        "Or let an agent do it, from a slow fork on, and look on:",
        f"  quasar miner run --base file://{stack.place.slow_fork}",
        "  quasar miner journal",
    )
