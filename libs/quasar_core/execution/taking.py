"""Taking the kernel files out of a fork with git, inside the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quasar_core.errors import RejectionCode, Stage, SubmissionFault
from quasar_core.execution.git_failures import failure
from quasar_core.execution.hardened_git import Git, within
from quasar_core.execution.kernel_files import (
    is_commit,
    list_kernel_files,
    missing_blobs,
    read_files,
)

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
class Taking:
    """What to take, from where, and how much of it at the most.

    `settings` are git's, `NAME=VALUE`. See `fetch.FetchLimits`.
    """

    url: str
    commit_hash: str
    protocols: Sequence[str]
    seconds: float
    pack_bytes: int
    blob_bytes: int
    memory_bytes: int
    settings: Sequence[str] = ()


def take(taking: Taking, directory: Path) -> Mapping[str, bytes]:
    """The kernel files by name, read in a repository made in `directory`.

    Raises SubmissionFault at stage fetch for what is the fork's fault,
    TransientError for what is the world's (GitTimeout among them).
    """
    git = Git(
        directory,
        deadline=within(taking.seconds),
        protocols=taking.protocols,
        file_bytes=taking.pack_bytes,
        memory_bytes=taking.memory_bytes,
        settings=taking.settings,
    )
    _fetch(
        git,
        taking.url,
        (taking.commit_hash,),
        "--depth=1",
        f"--filter=combine:tree:{TREE_DEPTH}+blob:none",
    )
    if not is_commit(git, taking.commit_hash):
        raise SubmissionFault(
            RejectionCode.COMMIT_NOT_FOUND,
            Stage.FETCH,
            "the hash names something, but no commit",
        )
    files = list_kernel_files(git, taking.commit_hash)
    missing = missing_blobs(git, files)
    if missing:
        small = replace(git, file_bytes=taking.blob_bytes)
        _fetch(small, taking.url, missing, "--filter=blob:none")
    return read_files(git, files)


def _fetch(git: Git, url: str, wanted: Sequence[str], *options: str) -> None:
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
