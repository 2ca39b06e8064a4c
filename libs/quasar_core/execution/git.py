"""Making repositories whose commits come out the same every time."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from quasar_core.errors import QuasarError
from quasar_core.execution.hardened_git import bare_environment, executable

BRANCH = "main"
AUTHOR = "quasar"
EMAIL = "quasar@localhost"
DATE = "2024-01-01T00:00:00+0000"


class RepositoryError(QuasarError):
    """A repository of one's own could not be made or read."""


def create_repository(
    path: Path,
    files: Mapping[str, bytes],
    message: str = "Base repository",
) -> str:
    """A new repository with one commit; its hash.

    Author and date are fixed: the same files give the same hash anywhere.
    `files` maps paths below the repository to contents. Raises
    RepositoryError where `path` is a repository already.
    """
    if (path / ".git").exists():
        raise RepositoryError(f"{path} is a git repository already")
    path.mkdir(parents=True, exist_ok=True)
    _git(path, "init", "--quiet", "--template=", f"--initial-branch={BRANCH}")
    return commit_files(path, files, message)


def commit_files(
    path: Path, files: Mapping[str, bytes], message: str, *, date: str = DATE
) -> str:
    """Write `files`, commit everything that has changed; the hash.

    `date` is the author's and the committer's. Raises RepositoryError
    where there is nothing to commit.
    """
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    _git(path, "add", "--all", "--force", ".")
    _git(path, "commit", "--quiet", "--no-verify", "-m", message, date=date)
    return head(path)


def head(path: Path) -> str:
    """The hash of the commit that is checked out."""
    return _git(path, "rev-parse", "HEAD").strip()


def _git(path: Path, *arguments: str, date: str = DATE) -> str:
    settings = ("core.autocrlf=false", "commit.gpgSign=false", "gc.auto=0")
    words = (word for each in settings for word in ("-c", each))
    answer = subprocess.run(  # noqa: S603 -- git, and no shell words
        [executable(), *words, *arguments],
        cwd=path,
        env={
            **bare_environment(),
            "GIT_AUTHOR_NAME": AUTHOR,
            "GIT_AUTHOR_EMAIL": EMAIL,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": AUTHOR,
            "GIT_COMMITTER_EMAIL": EMAIL,
            "GIT_COMMITTER_DATE": date,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip()
        raise RepositoryError(f"git {arguments[0]} failed: {said}")
    return answer.stdout
