"""The kernel files of one's own repository, as the judge would see them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from quasar_core.contracts.reports import Source
from quasar_core.domain.sources import (
    KERNEL_FOLDER,
    MAX_FILE_BYTES,
    check_mode,
    check_names_and_sizes,
)
from quasar_core.errors import RejectionCode, Stage, SubmissionFault
from quasar_core.execution.hardened_git import Git, within
from quasar_core.execution.kernel_files import list_kernel_files
from quasar_core.execution.sources import as_source, read_source

SECONDS = 60.0
MODES = {stat.S_IFREG: "100644", stat.S_IFLNK: "120000", stat.S_IFDIR: "40000"}


def local_source(repo_path: Path, ref: str | None = "HEAD") -> Source:
    """The kernel files at `ref`, or of the working tree for None.

    Raises SubmissionFault with the codes that a fetch would give.
    """
    if ref is None:
        return _working_tree(repo_path)
    git = Git(repo_path, deadline=within(SECONDS))
    return read_source(git, list_kernel_files(git, resolve(git, ref)))


def resolve(git: Git, ref: str) -> str:
    """The hash of the commit that `ref` names.

    Raises SubmissionFault: fork_unreachable where there is no repository,
    commit_not_found where it has no such commit.
    """
    if not git.directory.is_dir() or git.run("rev-parse", "--git-dir").code:
        raise SubmissionFault(
            RejectionCode.FORK_UNREACHABLE,
            Stage.FETCH,
            f"{git.directory} is no git repository",
        )
    answer = git.run(
        *("rev-parse", "--verify", "--quiet", "--end-of-options"),
        f"{ref}^{{commit}}",
    )
    if answer.code:
        raise SubmissionFault(
            RejectionCode.COMMIT_NOT_FOUND,
            Stage.FETCH,
            f"the repository has no commit {ref!a}",
        )
    return answer.stdout.decode().strip()


def _working_tree(repo_path: Path) -> Source:
    folder = repo_path / KERNEL_FOLDER
    found = sorted(folder.glob("*.py")) if folder.is_dir() else []
    sizes: dict[str, int] = {}
    for path in found:
        status = path.lstat()
        kind = stat.S_IFMT(status.st_mode)
        check_mode(path.name, MODES.get(kind, "0"))
        sizes[path.name] = status.st_size
    check_names_and_sizes(sizes)
    return as_source({path.name: _read(path) for path in found})


def _read(path: Path) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        return os.read(descriptor, MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
