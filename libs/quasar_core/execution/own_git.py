"""Git as its user has set it up: his commits, his remotes, his pushes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from quasar_core.execution.git import AUTHOR, EMAIL, RepositoryError
from quasar_core.execution.hardened_git import executable

PUSH_SECONDS = 300
NOTHING: Mapping[str, str] = MappingProxyType({})


def clone(
    url: str, path: Path, environment: Mapping[str, str] = NOTHING
) -> None:
    """Clone a remote into a folder that is not there yet, whole or not.

    `environment` is added to git's own (see `credentials`). Whoever is
    killed in the middle finds no half a clone. Raises RepositoryError with
    what git said.
    """
    if path.exists():
        raise RepositoryError(f"{path} is there already")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.cloning")
    shutil.rmtree(half, ignore_errors=True)
    words = ("clone", "--quiet", "--", url, str(half.resolve()))
    _git(path.parent, *words, environment=environment)
    half.rename(path)


def credentials(url: str, header: str) -> Mapping[str, str]:
    """An environment in which git sends this header to this address alone.

    Nothing of it is written down or stands on a command line.
    """
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": header,
    }


def remote_url(path: Path, remote: str) -> str:
    """Where a remote lies; raises RepositoryError for an unknown one."""
    return _git(path, "remote", "get-url", remote).strip()


def is_changed(path: Path, folder: str) -> bool:
    """Whether anything in `folder` differs from what is checked out."""
    return bool(_git(path, "status", "--porcelain", "--", folder).strip())


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


def push(
    path: Path,
    remote: str,
    commit_hash: str,
    branch: str,
    environment: Mapping[str, str] = NOTHING,
) -> None:
    """Push one commit as the tip of a branch; again changes nothing.

    Nobody is asked for a password; `environment` may hold `credentials`.
    Raises RepositoryError with what git said.
    """
    tip = f"{commit_hash}:refs/heads/{branch}"
    _git(path, "push", "--quiet", remote, tip, environment=environment)


def private_folder(path: Path, name: str) -> Path:
    """A folder of the repository's own that no commit ever holds."""
    common = _git(path, "rev-parse", "--git-common-dir").strip()
    return (path / common / name).resolve()


def _as(name: str, email: str) -> tuple[str, ...]:
    return ("-c", f"user.name={name}", "-c", f"user.email={email}")


def _git(
    path: Path, *arguments: str, environment: Mapping[str, str] = NOTHING
) -> str:
    answer = _run(path, *arguments, environment=environment)
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip()
        deed = next(word for word in arguments if word in _DEEDS)
        raise RepositoryError(f"git {deed} failed: {said}")
    return answer.stdout


_DEEDS = frozenset(
    {"add", "clone", "commit", "push", "remote", "rev-parse", "status"}
)


def _run(
    path: Path, *arguments: str, environment: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 -- git, and no shell words
            [executable(), *arguments],
            cwd=path,
            env={
                **os.environ,
                **environment,
                "GIT_TERMINAL_PROMPT": "0",
                "LC_ALL": "C",
            },
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
