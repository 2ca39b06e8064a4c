"""The secrets of a deployment: drawn once, and written as a file each."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from quasar_core.chain.keys import KeyFault, worker_keypair
from quasar_core.contracts.events import (
    BenchmarkRequested,
    VerificationRequested,
)
from quasar_core.messaging.access import worker_rules
from quasar_core.messaging.topology import queue_for

USER = 10_001
"""Who our processes are, inside their images."""

FOR_CONTAINERS = 0o444
"""Several users read them, each in a container; the folder is ours alone."""

NOBODY = "https://alerts.invalid/"
"""Where alerts go until the operator says: a host that there never is."""

PLATFORM = "platform"
JOBS = {"benchmark": BenchmarkRequested, "verifier": VerificationRequested}
BYTES = 24


def write_secrets(
    folder: Path,
    benchmark_workers: Sequence[str],
    verifier_workers: Sequence[str],
    *,
    pool: str = "cpu",
    broker: str = "broker:6379",
    database: str = "postgres",
) -> dict[str, str]:
    """Write what is missing into `folder`; the workers' addresses by name.

    What is there already is kept: a second call adds workers, and changes
    nothing but the broker's users, which follow from the other files. Raises
    KeyFault for a worker's seed that cannot be used.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    password = _kept(folder / "postgres_password", secrets.token_hex(BYTES))
    _kept(
        folder / "database_url",
        f"postgresql://quasar:{password}@{database}/quasar",
    )
    _kept(folder / "grafana_password", secrets.token_hex(BYTES))
    _kept(folder / "alert_webhook_url", NOBODY)
    urls = {
        role: _kept(
            folder / name,
            f"redis://{role}:{secrets.token_hex(BYTES)}@{broker}/0",
        )
        for role, name in _url_files().items()
    }
    _write(folder / "broker_users", broker_users(urls, pool))
    return {
        name: _address(folder / "seeds" / name)
        for name in (*benchmark_workers, *verifier_workers)
    }


def _address(seed: Path) -> str:
    """The address of a worker's key, which is made where it is missing."""
    address = worker_keypair(seed).ss58_address
    if os.geteuid() == 0:
        os.chown(seed, USER, USER)
    return address


def broker_users(urls: Mapping[str, str], pool: str) -> str:
    """The broker's users, as its `aclfile` has them: no password in clear."""
    rules = {
        PLATFORM: ("~*", "&*", "+@all"),
        **{
            role: worker_rules(queue_for(event, pool))
            for role, event in JOBS.items()
        },
    }
    lines = [
        f"user {role} on #{_digest(urls[role])} {' '.join(rules[role])}"
        for role in rules
    ]
    return "\n".join(["user default off", *lines])


def _url_files() -> dict[str, str]:
    return {
        PLATFORM: "redis_url",
        **{role: f"{role}_redis_url" for role in JOBS},
    }


def _digest(url: str) -> str:
    password = url.rpartition("@")[0].rpartition(":")[2]
    return sha256(password.encode()).hexdigest()


def _kept(path: Path, fresh: str) -> str:
    """What the file holds; it is written first where it is missing."""
    if not path.exists():
        _write(path, fresh)
    return path.read_text(encoding="utf-8").strip()


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text + "\n", encoding="utf-8")
    part.chmod(FOR_CONTAINERS)
    part.rename(path)


def main(
    folder: Annotated[Path, typer.Argument(help="Where they are to lie.")],
    benchmark_worker: Annotated[
        list[str] | None,
        typer.Option(help="A benchmark worker's name; once for each."),
    ] = None,
    verifier_worker: Annotated[
        list[str] | None,
        typer.Option(help="A verifier worker's name; once for each."),
    ] = None,
    pool: Annotated[str, typer.Option(help="The workers' pool.")] = "cpu",
    broker: Annotated[
        str, typer.Option(help="HOST:PORT of the broker.")
    ] = "broker:6379",
    database: Annotated[
        str, typer.Option(help="The database's host.")
    ] = "postgres",
) -> None:
    """Draw the secrets that are missing, and say whose results count."""
    try:
        hotkeys = write_secrets(
            folder,
            benchmark_worker or ["benchmark-1"],
            verifier_worker or ["verifier-1"],
            pool=pool,
            broker=broker,
            database=database,
        )
    except (KeyFault, OSError) as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from fault
    typer.echo(f"QUASAR_WORKER_HOTKEYS='{json.dumps(hotkeys)}'")


if __name__ == "__main__":
    typer.run(main)
