"""The miner's repository: the base that all forks begin from, and a fork."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quasar_core.domain.screening import screen
from quasar_core.domain.sources import KERNEL_FOLDER
from quasar_core.errors import QuasarError, SubmissionFault
from quasar_core.execution.git import create_repository, head
from quasar_core.execution.local_source import local_source
from quasar_core.judge.pinned import (
    baseline_files,
    pinned_files,
    source_files,
)


class RepositoryFault(QuasarError):
    """The folder cannot be used as it is; the text says what to do."""


@dataclass(frozen=True)
class Fork:
    """A commit of the miner's, and what he should know before sending it."""

    path: Path
    commit_hash: str
    warnings: tuple[str, ...]


def base_files() -> Mapping[str, bytes]:
    """The base repository: path -> content, the baseline in its place."""
    kernels = {
        f"{KERNEL_FOLDER}/{name}": content
        for name, content in baseline_files().items()
    }
    return {**pinned_files(), **kernels}


def create_base_repository(path: Path) -> str:
    """The base repository in a new or empty folder; its commit's hash.

    The same software gives the same hash on every machine. Raises
    RepositoryFault where the folder holds anything.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RepositoryFault(
            f"{path} is not empty: name a new folder with --repo-path"
        )
    return create_repository(path, base_files())


def open_fork(path: Path) -> Fork:
    """The commit that is checked out in `path`, with warnings.

    Raises RepositoryFault where there is no repository or no commit.
    """
    if not (path / ".git").exists():
        raise RepositoryFault(
            f"{path} is no git repository: `quasar miner init --repo-path"
            f" {path}` makes one, or name another with --repo-path"
        )
    try:
        commit_hash = head(path)
    except QuasarError as fault:
        raise RepositoryFault(
            f"{path} has no commit yet: `git add` and `git commit` first"
        ) from fault
    return Fork(path, commit_hash, _warnings(path))


def _warnings(path: Path) -> tuple[str, ...]:
    try:
        committed = local_source(path)
        screen(source_files(committed))
    except SubmissionFault as fault:
        why = f"{fault.code.value}: {fault.detail or fault.sentence}"
        return (f"this commit will be rejected: {why}",)
    try:
        same = local_source(path, None).tree_hash == committed.tree_hash
    except SubmissionFault:
        same = False
    if same:
        return ()
    changed = f"{KERNEL_FOLDER} has changes that are not committed"
    return (f"{changed}: what counts is the commit",)
