"""Faults of what the platform stands on: disks, clocks, the chain."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from quasar_core.chain.wallets import OpenWallet, create_wallet

from deploy.local.environment import base_environment
from deploy.local.identities import register
from deploy.local.load.serving import NETUID
from deploy.local.processes import Program
from services.api.attempts.states import State
from tests.faults import disks
from tests.faults.arena import Arena
from tests.faults.scenarios import BATCH, Broken
from tests.support.bad_nodes import answering_bytes, hanging

SKEW_SECONDS = 20
ROUND_BLOCKS = 14_400
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
CLOCK_SOURCE = Path(__file__).with_name("skewed_clock.c")


# --- disks -------------------------------------------------------------------


def worker_without_a_disk(arena: Arena) -> Broken:
    """Both workers' disks are full: a result is told without its spool."""
    spools = [
        arena.platform.folder.joinpath(
            "machines", name, "state", "benchmark", name, "spool"
        )
        for name in arena.platform.crew.names("benchmark")
    ]
    with disks.full(spools[0]), disks.full(spools[1]):
        arena.strike()
        ids = arena.submit(BATCH)
        arena.await_ends(ids)
    told = [
        arena.platform.processes.log_path(name).read_text(encoding="utf-8")
        for name in arena.platform.crew.names("benchmark")
    ]
    assert any("spool.full" in one for one in told), "nobody said so"
    return Broken.scored(ids)


def database_without_a_disk(arena: Arena) -> Broken:
    """PostgreSQL's disk is full while jobs run: 503, and nothing stored."""
    assert arena.postgres is not None
    ids, _ = arena.strike_at_work(BATCH)
    refused: list[dict[str, object]] = []

    def turned_away() -> bool:
        content = arena.body()
        answer = arena.post(content)
        if answer.status_code != 503:
            assert answer.status_code == 202, answer.text
            ids.append(UUID(answer.json()["submission_id"]))
            return False
        assert "Retry-After" in answer.headers
        refused.append(content)
        return True

    with disks.filled(arena.postgres.folder):
        # what its journal and its tables have room for is taken in still
        arena.eventually(turned_away, "a submission is turned away")
    arena.postgres.start()
    return Broken.scored([*ids, *map(arena.sent_until_accepted, refused)])


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
    those of the one before, where that was the last to be final. Where the
    chain is gone after that, the reason is recorded.
    """
    chain, folder = arena.platform.chain, arena.platform.folder
    ids = arena.submit(2)
    arena.await_ends(ids)
    number = arena.platform.open_round()
    wallet = f"validator-{number}"
    validator = _a_validator(arena, wallet)
    state = folder / "chain.json"
    processes = arena.platform.processes
    told = processes.log_path("weight-setter")
    before = told.stat().st_size if told.exists() else 0
    processes.start(_setter(arena, wallet, f"local://{state}"))
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
            lambda: _reports(arena, validator.hotkey, "set"), "weights are set"
        )
        kept = state.read_bytes()
        state.write_text("nonsense")
        arena.eventually(
            lambda: _reports(arena, validator.hotkey, "failed"),
            "the reason is recorded",
        )
        state.write_bytes(kept)
        # whoever sets twice does it at one of the next looks
        time.sleep(3.0)
    finally:
        processes.end("weight-setter")
    rows = json.loads(state.read_text())["sets"][validator.hotkey]
    assert len(rows) == 1, f"weights were set {len(rows)} times"
    assert len(_reports(arena, validator.hotkey, "set")) == 1
    (failed,) = _reports(arena, validator.hotkey, "failed")
    assert "the chain cannot be read" in failed["reason"]
    arena.eventually(
        lambda: arena.platform.open_round() == number + 1, "the next round"
    )
    return Broken.scored([*ids, *_sent_in_the_next_round(arena)])


def _sent_in_the_next_round(arena: Arena) -> list[UUID]:
    return arena.submit(2)


def chain_slow_then_rate_limited(arena: Arena) -> Broken:
    """A validator's node says nothing, and another one that it is too much.

    Both reasons are recorded, nothing is set, and the setter lives.
    """
    processes = arena.platform.processes
    ids = arena.submit(2)
    _await_final_round(arena)
    wallet = f"validator-{ids[0].hex[:8]}"
    validator = _a_validator(arena, wallet)
    arena.strike()
    for number, node in enumerate((hanging(), answering_bytes(TOO_MANY)), 1):
        with node as url:
            processes.start(_setter(arena, wallet, url))
            try:
                arena.eventually(
                    lambda number=number: (
                        len(_reports(arena, validator.hotkey, "failed"))
                        >= number
                    ),
                    "the reason is recorded",
                )
                assert not processes.has_ended("weight-setter")
            finally:
                processes.end("weight-setter")
    assert _reports(arena, validator.hotkey, "set") == []
    return Broken.scored(ids)


def _await_final_round(arena: Arena) -> None:
    """End the open round, unless one has ended before."""

    def final() -> bool:
        current = httpx2.get(f"{arena.url}/rounds/current").json()
        return current["latest_finalised_round"] is not None

    if not final():
        arena.platform.chain.advance(ROUND_BLOCKS)
    arena.eventually(final, "a final round")


def _a_validator(arena: Arena, wallet: str) -> OpenWallet:
    """A wallet whose hotkey may set weights."""
    made = create_wallet(wallet, "default", arena.platform.folder / "wallets")
    register(arena.platform.chain, made, permit=True)
    return made


def _setter(arena: Arena, wallet: str, chain_url: str) -> Program:
    folder = arena.platform.folder
    return Program(
        "weight-setter",
        (sys.executable, "-P", "-m", "services.weight_setter"),
        {
            **base_environment(),
            "QUASAR_API_URL": arena.url,
            "QUASAR_CHAIN_URL": chain_url,
            "QUASAR_NETUID": str(NETUID),
            "QUASAR_WALLET_NAME": wallet,
            "QUASAR_WALLET_HOTKEY": "default",
            "QUASAR_WALLET_PATH": str(folder / "wallets"),
            "QUASAR_WEIGHTS_POLL_SECONDS": "0.5",
            "QUASAR_STATE_DIRECTORY": str(folder / "machines" / wallet),
        },
        directory=folder,
    )


def _reports(arena: Arena, hotkey: str, outcome: str) -> list[dict[str, Any]]:
    history = httpx2.get(f"{arena.url}/weights").json()["records"]
    return [
        record["report"]
        for record in history
        if record["validator_hotkey"] == hotkey
        and record["report"]["outcome"] == outcome
    ]
