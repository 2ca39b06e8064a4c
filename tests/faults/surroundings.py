"""Faults of what the platform stands on: disks, clocks, the chain."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx2
from quasar_core.chain.wallets import create_wallet

from deploy.local.environment import base_environment
from deploy.local.identities import register
from deploy.local.load.serving import NETUID
from deploy.local.processes import Program
from services.api.attempts.states import State
from tests.faults.arena import Arena
from tests.faults.scenarios import BATCH, Broken

SKEW_SECONDS = 20
ROUND_BLOCKS = 14_400
SMALL_DISK = "64k"
CLOCK_SOURCE = Path(__file__).with_name("skewed_clock.c")


# --- disks -------------------------------------------------------------------


def may_mount() -> bool:
    """Whether this process may make a file system of a size."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def worker_without_a_disk(arena: Arena) -> Broken:
    """Both workers' disks are full: a result is told without its spool."""
    spools = [
        arena.platform.folder.joinpath(
            "machines", name, "state", "benchmark", name, "spool"
        )
        for name in arena.platform.crew.names("benchmark")
    ]
    with full(spools[0]), full(spools[1]):
        arena.strike()
        ids = arena.submit(BATCH)
        arena.await_ends(ids)
    return Broken.scored(ids)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """A small file system in place of `folder`, without a free byte."""
    options = ("-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder))
    subprocess.run(["mount", *options], check=True)
    try:
        with (folder / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"\0" * 4_096)
            except OSError:
                pass
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# --- clocks ------------------------------------------------------------------


def may_compile() -> bool:
    """Whether a clock can be made here that is off."""
    return shutil.which("cc") is not None


def skewed(program: Program, folder: Path, seconds: int) -> Program:
    """The same program with a wall clock that is so many seconds off."""
    library = folder / "skewed_clock.so"
    if not library.exists():
        subprocess.run(
            [
                *("cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror"),
                *("-o", str(library), str(CLOCK_SOURCE), "-ldl"),
            ],
            check=True,
        )
    return replace(
        program,
        environment={
            **program.environment,
            "LD_PRELOAD": str(library),
            "CLOCK_SKEW_SECONDS": str(seconds),
        },
    )


def worker_with_another_clock(arena: Arena) -> Broken:
    """One worker is an hour ahead of everybody, the other a day behind."""
    names = arena.platform.crew.names("benchmark")
    processes, folder = arena.platform.processes, arena.platform.folder
    right = {name: processes.program(name) for name in names}
    arena.end(*names)
    arena.strike()
    for name, seconds in zip(names, (3_600, -86_400), strict=True):
        processes.start(skewed(right[name], folder, seconds))
    try:
        ids = arena.submit(BATCH)
        arena.await_ends(ids)
    finally:
        for name in names:
            processes.end(name)
            processes.start(right[name], wait=False)
            arena.down.discard(name)
    return Broken.scored(ids)


def clock_of_the_scheduler_jumps(arena: Arena) -> Broken:
    """It jumps ahead by more than a lease, and then back again."""
    processes, folder = arena.platform.processes, arena.platform.folder
    right = processes.program("scheduler")
    ids = arena.submit(BATCH)
    arena.worker_at(ids)
    arena.end("scheduler")
    arena.strike()
    processes.start(skewed(right, folder, SKEW_SECONDS))
    arena.eventually(
        lambda: State.LOST in arena.attempt_states(ids), "leases that ran out"
    )
    processes.end("scheduler", grace_seconds=0.0)
    processes.start(right, wait=False)
    arena.down.discard("scheduler")
    return Broken.scored(ids)


# --- the chain ---------------------------------------------------------------


def chain_away_at_the_end_of_a_round(arena: Arena) -> Broken:
    """The chain's endpoint is gone, then answers nonsense, then is back.

    The round ends once, and weights are set once: the round's, or still
    those of the one before, where that was the last to be final.
    """
    chain, folder = arena.platform.chain, arena.platform.folder
    ids = arena.submit(2)
    arena.await_ends(ids)
    number = arena.platform.open_round()
    wallet = f"validator-{number}"
    validator = create_wallet(wallet, "default", folder / "wallets")
    register(chain, validator, permit=True)
    state = folder / "chain.json"
    processes = arena.platform.processes
    told = processes.log_path("weight-setter")
    before = told.stat().st_size if told.exists() else 0
    processes.start(_setter(arena, folder, wallet))
    try:
        arena.eventually(
            lambda: told.stat().st_size > before, "a weight setter"
        )
        chain.advance(ROUND_BLOCKS)
        kept = state.read_bytes()
        arena.strike()
        state.unlink()
        time.sleep(3.0)
        state.write_text("nonsense")
        time.sleep(3.0)
        state.write_bytes(kept)
        arena.eventually(
            lambda: _times_set(arena, validator.hotkey), "weights are set"
        )
        # whoever sets twice does it at one of the next looks
        time.sleep(3.0)
    finally:
        processes.end("weight-setter")
    rows = json.loads(state.read_text())["sets"][validator.hotkey]
    assert len(rows) == 1, f"weights were set {len(rows)} times"
    assert _times_set(arena, validator.hotkey) == 1
    arena.eventually(
        lambda: arena.platform.open_round() == number + 1, "the next round"
    )
    return Broken.scored([*ids, *_sent_in_the_next_round(arena)])


def _sent_in_the_next_round(arena: Arena) -> list[UUID]:
    return arena.submit(2)


def _setter(arena: Arena, folder: Path, wallet: str) -> Program:
    return Program(
        "weight-setter",
        (sys.executable, "-P", "-m", "services.weight_setter"),
        {
            **base_environment(),
            "QUASAR_API_URL": arena.url,
            "QUASAR_CHAIN_URL": f"local://{folder}/chain.json",
            "QUASAR_NETUID": str(NETUID),
            "QUASAR_WALLET_NAME": wallet,
            "QUASAR_WALLET_HOTKEY": "default",
            "QUASAR_WALLET_PATH": str(folder / "wallets"),
            "QUASAR_WEIGHTS_POLL_SECONDS": "0.5",
            "QUASAR_STATE_DIRECTORY": str(folder / "machines" / wallet),
        },
        directory=folder,
    )


def _times_set(arena: Arena, hotkey: str) -> int:
    history = httpx2.get(f"{arena.url}/weights").json()["records"]
    return sum(
        record["report"]["outcome"] == "set"
        for record in history
        if record["validator_hotkey"] == hotkey
    )
