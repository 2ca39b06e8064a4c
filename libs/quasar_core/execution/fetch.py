"""Fetching the kernel files of a stranger's commit, and of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from quasar_core.contracts.reports import Source
from quasar_core.domain.forks import (
    InvalidCommit,
    InvalidForkUrl,
    check_commit_hash,
    check_fork_url,
)
from quasar_core.errors import RejectionCode, Stage, SubmissionFault
from quasar_core.execution.git_failures import failure
from quasar_core.execution.hardened_git import Git, within
from quasar_core.execution.kernel_files import (
    is_commit,
    list_kernel_files,
    missing_blobs,
    read_source,
)
from quasar_core.execution.limits import MIB
from quasar_core.execution.local_source import local_source
from quasar_core.execution.workspaces import default_workspaces, workspace

__all__ = ["FetchLimits", "Fetcher", "fetch_checked", "local_source"]

TREE_DEPTH = 4
"""Of the commit's own tree, fla, fla/ops and fla/ops/quasar."""

# A server that is a local process of ours takes its settings from us; over
# https the option is not sent.
UPLOAD_PACK = (
    "git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true"
    " -c safe.directory=* upload-pack"
)
CONFIG = """[core]
\trepositoryformatversion = 1
\tbare = true
"""


@dataclass(frozen=True)
class FetchLimits:
    """Where may be fetched from, and how much of it.

    `pack_bytes` bounds what is taken to find the files (a host that does
    not serve parts sends the whole commit), `blob_bytes` the files
    themselves as they travel, `memory_bytes` each of git's processes.
    """

    allowed_schemes: Sequence[str] = ("https",)
    allowed_hosts: Sequence[str] = ("github.com",)
    seconds: float = 60.0
    pack_bytes: int = 50 * MIB
    blob_bytes: int = 4 * MIB
    memory_bytes: int = 1024 * MIB
    directory: Path = field(default_factory=default_workspaces)


@dataclass(frozen=True)
class Fetcher:
    """Takes kernel files out of forks, trusting nothing about them."""

    limits: FetchLimits = field(default_factory=FetchLimits)

    def fetch(self, fork_url: str, commit_hash: str) -> Source:
        """The kernel files of one commit of a fork.

        Raises SubmissionFault at stage fetch for what is the fork's fault,
        TransientError for what is the world's (GitTimeout among them).
        """
        limits = self.limits
        try:
            url = check_fork_url(
                fork_url, limits.allowed_schemes, limits.allowed_hosts
            )
            check_commit_hash(commit_hash)
        except InvalidForkUrl as error:
            raise _fault(RejectionCode.FORK_UNREACHABLE, error) from error
        except InvalidCommit as error:
            raise _fault(RejectionCode.COMMIT_NOT_FOUND, error) from error
        return fetch_checked(_as_served(url), commit_hash, limits)


def fetch_checked(url: str, commit_hash: str, limits: FetchLimits) -> Source:
    """Fetch from an address that was found to be allowed."""
    with workspace(limits.directory) as directory:
        git = Git(
            directory,
            deadline=within(limits.seconds),
            protocols=limits.allowed_schemes,
            file_bytes=limits.pack_bytes,
            memory_bytes=limits.memory_bytes,
        )
        _take(
            git,
            url,
            (commit_hash,),
            "--depth=1",
            f"--filter=combine:tree:{TREE_DEPTH}+blob:none",
        )
        if not is_commit(git, commit_hash):
            raise SubmissionFault(
                RejectionCode.COMMIT_NOT_FOUND,
                Stage.FETCH,
                "the hash names something, but no commit",
            )
        files = list_kernel_files(git, commit_hash)
        missing = missing_blobs(git, files)
        if missing:
            small = replace(git, file_bytes=limits.blob_bytes)
            _take(small, url, missing, "--filter=blob:none")
        return read_source(git, files)


def _take(git: Git, url: str, wanted: Sequence[str], *options: str) -> None:
    """Fetch objects by name into the repository, made new if need be."""
    if not (git.directory / "HEAD").exists():
        made = git.run("init", "--quiet", "--bare", "--template=", ".")
        if made.code:
            raise failure(made)
    config = git.directory / "config"
    config.write_text(f'{CONFIG}[remote "origin"]\n\turl = "{url}"\n')
    local = url.startswith("file://")
    answer = git.run(
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
        *("--no-recurse-submodules", "--no-auto-maintenance", "--stdin"),
        *((f"--upload-pack={UPLOAD_PACK}",) if local else ()),
        *(*options, "--end-of-options", "origin"),
        given="".join(f"{each}\n" for each in wanted).encode(),
    )
    # Without its origin the repository is what it holds: git would ask the
    # fork for each object that is missing.
    config.write_text(CONFIG)
    if answer.code or answer.overflowed:
        raise failure(answer)


def _as_served(url: str) -> str:
    """Hosts redirect the bare address to this one, and none is followed."""
    return f"{url}.git" if url.startswith("https://") else url


def _fault(code: RejectionCode, error: Exception) -> SubmissionFault:
    return SubmissionFault(code, Stage.FETCH, str(error))
