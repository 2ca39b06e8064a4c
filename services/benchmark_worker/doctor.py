"""The doctor: whether this machine can judge, and what to mend if not."""

from __future__ import annotations

import os
from collections.abc import Iterator

from quasar_core.chain.keys import KeyFault, worker_keypair
from quasar_core.doctor.broker import check_broker
from quasar_core.doctor.cards import check_cards
from quasar_core.doctor.findings import Check, Finding
from quasar_core.doctor.machine import (
    check_disk,
    check_git,
    check_sandbox,
    check_versions,
)
from quasar_core.domain.workload import Profile
from quasar_core.errors import QuasarError
from quasar_core.worker.locks import (
    FileLock,
    LockTaken,
    default_lock_directory,
)

from services.benchmark_worker.settings import Settings


def check_pool(settings: Settings) -> Iterator[Finding]:
    """A GPU and its driver, which only some pools need."""
    return check_cards(settings.judge.profile is not Profile.CPU)


def check_key(settings: Settings) -> Iterator[Finding]:
    """The key that signs results, and the address the API must know."""
    try:
        keypair = worker_keypair(settings.seed_file("benchmark"))
    except (KeyFault, OSError) as fault:
        yield Finding(
            "key",
            ok=False,
            detail="cannot be used",
            fix=f"{fault}; or set QUASAR_WORKER_SEED_FILE",
        )
    else:
        yield Finding(
            "key",
            ok=True,
            detail=f"{settings.worker_name} signs as {keypair.ss58_address}",
        )


def check_places(settings: Settings) -> Iterator[Finding]:
    """The folders for state and locks, and who else is running here."""
    home = settings.home("benchmark")
    directory = settings.lock_directory or default_lock_directory()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(directory / "doctor.lock").held():
            pass
    except (OSError, QuasarError) as fault:
        yield Finding(
            "folders",
            ok=False,
            detail=str(fault),
            fix="set QUASAR_STATE_DIRECTORY and QUASAR_LOCK_DIRECTORY to"
            " folders that this user may write",
        )
        return
    yield Finding(
        "folders",
        os.access(home, os.W_OK),
        f"state in {home}, locks in {directory}",
        "set QUASAR_STATE_DIRECTORY to a folder of ours",
    )
    try:
        with FileLock(home / "worker.lock").held_at_once("running"):
            state = "no worker of this name runs here"
    except LockTaken:
        state = "a worker of this name is running here"
    yield Finding("worker", ok=True, detail=state, needed=False)


MACHINE: tuple[Check[Settings], ...] = (
    check_versions,
    check_sandbox,
    check_git,
    check_pool,
    check_disk,
)
"""What judging needs of a machine, whoever judges."""

WORKER: tuple[Check[Settings], ...] = (
    *MACHINE,
    check_broker,
    check_key,
    check_places,
)
"""What a worker needs beside."""
