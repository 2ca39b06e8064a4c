"""Where a local stack lies, and the environment its processes read."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
SERVER_PORTS = range(20_000, 32_000)
PASSED_ON = (
    "PATH",
    "LANG",
    "TMPDIR",
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
)

BELONGINGS = (
    "logs",
    "chain.json*",
    "wallets",
    "forks",
    "slow-fork",
    "base",
    "broker",
    "keys",
    "state",
    "quasar.sqlite*",
    "miner.env",
    "prometheus",
)
"""All that a stack puts into its folder; `*` stands for side files."""


def free_port() -> int:
    """A TCP port of this machine that nobody listened on a moment ago.

    It lies below those that the kernel gives to outgoing connections: a
    connection of ours cannot take it before its process listens there.
    """
    while True:
        port = secrets.choice(SERVER_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


@dataclass(frozen=True)
class Place:
    """The folder of a local stack, and what lies where in it.

    `root` is absolute: processes run in it, and a submission names forks
    in it by their whole path.
    """

    root: Path

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    @property
    def chain_file(self) -> Path:
        """The local chain."""
        return self.root / "chain.json"

    @property
    def wallets(self) -> Path:
        """Every wallet of the stack: its owner's, its miners'."""
        return self.root / "wallets"

    @property
    def forks(self) -> Path:
        """The miners' repositories."""
        return self.root / "forks"

    @property
    def slow_fork(self) -> Path:
        """A right and slow fork, for a miner's agent to begin with."""
        return self.root / "slow-fork"

    @property
    def base(self) -> Path:
        """The repository that every miner's fork starts from."""
        return self.root / "base"

    @property
    def targets(self) -> Path:
        """Whom Prometheus may ask, in its own words."""
        return self.root / "prometheus" / "targets" / "local.json"

    @property
    def chain_url(self) -> str:
        """The local chain, as settings name it."""
        return f"local://{self.chain_file}"

    @property
    def database_url(self) -> str:
        """The API's database."""
        return f"sqlite:///{self.root / 'quasar.sqlite'}"

    def clear(self) -> None:
        """Remove what a stack has put here, and nothing else."""
        for name in BELONGINGS:
            for path in self.root.glob(name):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def state_of(self, name: str) -> Path:
        """Where that process keeps what must survive a restart."""
        return self.root / "state" / name


def base_environment() -> Mapping[str, str]:
    """What every process gets; all else of ours stays with us.

    One thread each: on a small machine the judge's clock and everybody
    else share the same few cores.
    """
    inherited = {
        name: os.environ[name] for name in PASSED_ON if name in os.environ
    }
    return {
        **inherited,
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "QUASAR_LOG_JSON": "true",
    }
