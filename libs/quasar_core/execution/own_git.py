"""Git as its user has set it up: his commits, his remotes, his pushes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from quasar_core.execution.git import AUTHOR, EMAIL, RepositoryError
from quasar_core.execution.hardened_git import executable

PUSH_SECONDS = 300


def commit_changes(path: Path, folder: str, message: str) -> bool:
    """Commit what has changed in `folder` alone; whether anything had.

    Under the name that the user's git knows, where it knows one. Raises
    RepositoryError where git refuses.
    """
    _git(path, "add", "--all", "--", folder)
    staged = ("diff", "--cached", "--quiet", "--", folder)
    if _run(path, *staged).returncode == 0:
        return False
    named = _run(path, "config", "user.email").returncode == 0
    name = () if named else _as(AUTHOR, EMAIL)
    _git(path, *name, "commit", "--quiet", "-m", message, "--", folder)
    return True


def has_remote(path: Path, remote: str) -> bool:
    """Whether the repository knows a remote of this name."""
    return remote in _git(path, "remote").split()


def push(path: Path, remote: str, commit_hash: str, branch: str) -> None:
    """Push one commit as the tip of a branch; again changes nothing.

    Nobody is asked for a password. Raises RepositoryError with what git
    said.
    """
    _git(path, "push", "--quiet", remote, f"{commit_hash}:refs/heads/{branch}")


def private_folder(path: Path, name: str) -> Path:
    """A folder of the repository's own that no commit ever holds."""
    common = _git(path, "rev-parse", "--git-common-dir").strip()
    return (path / common / name).resolve()


def _as(name: str, email: str) -> tuple[str, ...]:
    return ("-c", f"user.name={name}", "-c", f"user.email={email}")


def _git(path: Path, *arguments: str) -> str:
    answer = _run(path, *arguments)
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip()
        deed = next(word for word in arguments if word in _DEEDS)
        raise RepositoryError(f"git {deed} failed: {said}")
    return answer.stdout


_DEEDS = frozenset({"add", "commit", "push", "remote", "rev-parse"})


def _run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 -- git, and no shell words
            [executable(), *arguments],
            cwd=path,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PUSH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as fault:
        raise RepositoryError(
            f"git {arguments[0]} took more than {PUSH_SECONDS} s"
        ) from fault
