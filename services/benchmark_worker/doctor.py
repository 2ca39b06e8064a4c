"""The doctor: whether this machine can judge, and what to mend if not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from quasar_core.chain.keys import KeyFault, worker_keypair
from quasar_core.errors import QuasarError
from quasar_core.execution.backends import default_sandbox
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.messaging.bus import Bus, BusUnavailable
from quasar_core.worker.host import installed_versions
from quasar_core.worker.locks import (
    FileLock,
    LockTaken,
    default_lock_directory,
)

from services.benchmark_worker.settings import Settings

OLDEST_GIT = (2, 36)
"""The first whose fetch takes object names from stdin with a filter."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `fix` says what to do where it is not well.

    What is not `needed` is told and refuses nothing.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""
    needed: bool = True


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at everything a worker needs, touching nobody's work."""
    return tuple(finding for check in CHECKS for finding in check(settings))


def check_versions(_settings: Settings) -> Iterator[Finding]:
    """The interpreter and the distributions that kernels run on."""
    for name, found in installed_versions().items():
        yield Finding(
            name,
            found != "missing",
            found,
            (
                ""
                if found != "missing"
                else "install the extra" " quasar-subnet[benchmark-worker]"
            ),
        )


def check_sandbox(settings: Settings) -> Iterator[Finding]:
    """The sandbox, by its own probe, and the limits it can set."""
    try:
        sandbox = default_sandbox(
            settings.sandbox_backend,
            allow_degraded=True,
            image=settings.sandbox_image,
            production=settings.environment == "production",
        )
        isolation = sandbox.preflight()
    except SandboxUnavailable as fault:
        yield Finding("sandbox", ok=False, detail="cannot run", fix=str(fault))
        return
    proved = sum(isolation.proved.values())
    yield Finding(
        "sandbox",
        ok=True,
        detail=f"{isolation.backend}: {proved} properties proved inside",
    )
    yield Finding(
        "cgroups",
        ok=not isolation.degraded,
        detail="limits hold" if not isolation.degraded else "no limits",
        fix=(
            "run as root, or under `systemd-run --user --scope`, so that"
            " memory and processes can be limited; on a laptop set"
            " QUASAR_ALLOW_DEGRADED=1"
        )
        * isolation.degraded,
        needed=not settings.allow_degraded,
    )


def check_git(_settings: Settings) -> Iterator[Finding]:
    """The git that fetches forks."""
    fix = "install git {}.{} or newer".format(*OLDEST_GIT)
    path = shutil.which("git")
    if path is None:
        yield Finding("git", ok=False, detail="missing", fix=fix)
        return
    said = subprocess.run(  # noqa: S603 -- a path that `which` found
        [path, "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    numbers = said.removeprefix("git version ").split(".")[:2]
    new_enough = (
        all(part.isdecimal() for part in numbers)
        and tuple(map(int, numbers)) >= OLDEST_GIT
    )
    yield Finding("git", new_enough, said, "" if new_enough else fix)


def check_broker(settings: Settings) -> Iterator[Finding]:
    """Whether Redis answers where the settings say it is."""
    bus = Bus(settings.redis_url)
    try:
        bus.ping()
    except BusUnavailable as fault:
        yield Finding(
            "redis",
            ok=False,
            detail=str(fault),
            fix="start it, or set QUASAR_REDIS_URL to where it listens",
        )
    else:
        yield Finding("redis", ok=True, detail="answers")
    finally:
        bus.close()


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
    writable = os.access(home, os.W_OK)
    yield Finding(
        "folders",
        writable,
        f"state in {home}, locks in {directory}",
        "" if writable else "set QUASAR_STATE_DIRECTORY to a folder of ours",
    )
    try:
        with FileLock(home / "worker.lock").held_at_once("running"):
            state = "no worker of this name runs here"
    except LockTaken:
        state = "a worker of this name is running here"
    yield Finding("worker", ok=True, detail=state, needed=False)


Check = Callable[[Settings], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    check_versions,
    check_sandbox,
    check_git,
    check_broker,
    check_key,
    check_places,
)
