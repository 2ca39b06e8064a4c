"""The kernel files of a commit, read without a checkout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quasar_core.domain.sources import (
    KERNEL_FOLDER,
    check_mode,
    check_names_and_sizes,
)
from quasar_core.errors import RejectionCode, Stage, SubmissionFault
from quasar_core.execution.hardened_git import Git, GitAnswer


@dataclass(frozen=True)
class KernelFile:
    """A regular file of the kernel folder, by its object's name."""

    name: str
    blob: str


def is_commit(git: Git, commit_hash: str) -> bool:
    """Whether the hash is a commit's own, not that of a tag, tree or blob."""
    return _kinds(git, (commit_hash,))[commit_hash][0] == "commit"


def list_kernel_files(git: Git, commit_hash: str) -> tuple[KernelFile, ...]:
    """The `.py` entries of the kernel folder, from trees alone.

    Raises SubmissionFault: files_missing, not_text for what is no regular
    file, too_large for more than may be.
    """
    folder = f"{KERNEL_FOLDER}/"
    answer = git.run("ls-tree", "-z", commit_hash, "--", folder)
    if answer.overflowed:
        raise _too_many()
    if answer.code:
        raise _missing(answer)
    entries = tuple(_python_entries(answer.stdout))
    for name, mode, _ in entries:
        check_mode(name, mode)
    check_names_and_sizes({name: 0 for name, _, _ in entries})
    return tuple(KernelFile(name, blob) for name, _, blob in entries)


def missing_blobs(git: Git, files: Sequence[KernelFile]) -> tuple[str, ...]:
    """Which of the files' objects are not in the repository yet."""
    kinds = _kinds(git, [file.blob for file in files])
    return tuple(blob for blob, (kind, _) in kinds.items() if kind != "blob")


def read_files(git: Git, files: Sequence[KernelFile]) -> dict[str, bytes]:
    """The files' contents by name; their sizes are asked before.

    Raises SubmissionFault: too_large.
    """
    kinds = _kinds(git, [file.blob for file in files])
    check_names_and_sizes({file.name: kinds[file.blob][1] for file in files})
    blobs = tuple(dict.fromkeys(file.blob for file in files))
    answer = git.run("cat-file", "--batch", given=_lines(blobs))
    contents = dict(_contents(answer.stdout, len(blobs)))
    return {file.name: contents[file.blob] for file in files}


def _python_entries(listing: bytes) -> Iterator[tuple[str, str, str]]:
    """(name, mode, object) of each entry that is called `*.py`."""
    for entry in filter(None, listing.split(b"\0")):
        about, _, path = entry.partition(b"\t")
        mode, _, blob = about.decode().split(" ")
        name = path.decode("utf-8", "backslashreplace").rpartition("/")[2]
        if name.endswith(".py"):
            yield name, mode, blob


def _kinds(git: Git, objects: Sequence[str]) -> dict[str, tuple[str, int]]:
    """(kind, bytes) of each object; ("missing", 0) for one that isn't here."""
    answer = git.run("cat-file", "--batch-check", given=_lines(objects))
    found: dict[str, tuple[str, int]] = dict.fromkeys(objects, ("missing", 0))
    for line in answer.stdout.decode().splitlines():
        match line.split(" "):
            case [name, kind, size]:
                found[name] = (kind, int(size))
    return found


def _contents(answer: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    position = 0
    for _ in range(count):
        end = answer.index(b"\n", position)
        name, _, size = answer[position:end].decode().split(" ")
        start, position = end + 1, end + 1 + int(size) + 1
        yield name, answer[start : position - 1]


def _lines(objects: Sequence[str]) -> bytes:
    return "".join(f"{each}\n" for each in objects).encode()


def _too_many() -> SubmissionFault:
    return SubmissionFault(
        RejectionCode.TOO_LARGE,
        Stage.FETCH,
        f"{KERNEL_FOLDER} has more entries than are ever read",
        {"folder": KERNEL_FOLDER, "rule": "entries"},
    )


def _missing(answer: GitAnswer) -> SubmissionFault:
    return SubmissionFault(
        RejectionCode.FILES_MISSING,
        Stage.FETCH,
        f"{KERNEL_FOLDER} cannot be listed: {answer.complaint[:200]}",
        {"folder": KERNEL_FOLDER, "rule": "tree"},
    )
