"""Kernel files as the source that is judged and archived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quasar_core.contracts.reports import Source, SourceFile
from quasar_core.domain.identity import identity as identity_of
from quasar_core.domain.sources import (
    check_names_and_sizes,
    read_text,
    tree_hash,
)
from quasar_core.execution.hardened_git import Git
from quasar_core.execution.kernel_files import KernelFile, read_files


def read_source(git: Git, files: Sequence[KernelFile]) -> Source:
    """The files' contents; raises as `read_files` and `as_source` do."""
    return as_source(read_files(git, files))


def as_source(
    files: Mapping[str, bytes], identity: str | None = None
) -> Source:
    """A source of kernel files by name.

    Its identity is the one given, or else found by parsing them: a
    stranger's are parsed in a sandbox, and the API finds it once more.
    Raises SubmissionFault: files_missing, too_large, not_text.
    """
    check_names_and_sizes({name: len(each) for name, each in files.items()})
    texts = {name: read_text(name, files[name]) for name in sorted(files)}
    return Source(
        files=tuple(
            SourceFile(name=name, text=text) for name, text in texts.items()
        ),
        identity=identity_of(texts) if identity is None else identity,
        tree_hash=tree_hash(files),
    )
