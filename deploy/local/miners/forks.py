"""Forks: real git repositories, made on the spot for the demo's miners."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from quasar_core.execution.git import commit_files
from quasar_core.judge.pinned import KERNEL_FOLDER

from deploy.local.miners.kinds import Kind
from services.miner_agent.repository import create_base_repository


@dataclass(frozen=True)
class Fork:
    """A repository on this machine, and the commit that is sent in."""

    path: Path
    commit_hash: str

    @property
    def url(self) -> str:
        """As a submission names it."""
        return f"file://{self.path}"


def base_repository(path: Path) -> str:
    """Make the base repository at `path` anew; its commit's hash.

    It is what `quasar miner init` makes: the hash is the same wherever
    the same release is installed.
    """
    shutil.rmtree(path, ignore_errors=True)
    return create_base_repository(path)


def make_fork(path: Path, kind: Kind) -> Fork:
    """The base repository at `path`, with this kind's commit upon it.

    `path` is absolute and holds nothing yet.
    """
    create_base_repository(path)
    files = {
        f"{KERNEL_FOLDER}/{name}": content
        for name, content in kind.files().items()
    }
    claim = {"NOTES.md": f"{kind.name}: {kind.story}\n".encode()}
    commit_hash = commit_files(path, {**files, **claim}, kind.story)
    return Fork(path, commit_hash)
