"""Access: what a worker's own user may do at the broker, and no more.

Whoever breaks into a worker's host finds one Redis user. It takes jobs from
its own queue, appends to `recording`, and sets aside what it refuses: it
reads no other queue, removes no fact, and runs no other command.
"""

from __future__ import annotations

from quasar_core.messaging.dead import dead_queue
from quasar_core.messaging.topology import RECORDING

CONNECTING = ("+ping", "+hello", "+auth", "+client|setinfo", "+select")
"""What a client library says before anything else."""

TRANSACTION = ("+multi", "+exec", "+discard")


def worker_rules(job_queue: str) -> tuple[str, ...]:
    """The rules of a worker that takes jobs from `job_queue` alone.

    In the words of `ACL SETUSER` (Redis 7 and Valkey): each selector, in
    parentheses, grants its commands on its keys only.
    """
    dead = dead_queue(job_queue)
    return (
        "resetkeys",
        "resetchannels",
        "-@all",
        *CONNECTING,
        *TRANSACTION,
        f"(+brpop ~{job_queue})",
        f"(+lpush %W~{RECORDING})",
        f"(+lpush +ltrim %W~{dead})",
    )
