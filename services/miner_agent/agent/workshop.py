"""The workshop: the fork's files on disk, and its commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quasar_core.domain.sources import KERNEL_FOLDER
from quasar_core.errors import SubmissionFault
from quasar_core.execution.git import head
from quasar_core.execution.local_source import local_source
from quasar_core.execution.own_git import commit_changes, is_changed

from services.miner_agent.repository import RepositoryFault


@dataclass(frozen=True)
class Workshop:
    """A clone in which nobody else works meanwhile.

    Nothing that was only proposed ever lies in it: what is not kept needs
    no undoing. Raises RepositoryFault for what is no kernel folder, and
    RepositoryError where git refuses.
    """

    path: Path

    def files(self) -> dict[str, str]:
        """The kernel files of the commit that is checked out."""
        try:
            source = local_source(self.path)
        except SubmissionFault as fault:
            raise RepositoryFault(
                f"{self.path} holds no kernel that could be improved:"
                f" {fault.detail or fault.sentence}"
            ) from fault
        return {file.name: file.text for file in source.files}

    def is_dirty(self) -> bool:
        """Whether kernel files were changed and not committed."""
        return is_changed(self.path, KERNEL_FOLDER)

    def commit(self, files: Mapping[str, str], message: str) -> str:
        """Make these the kernel files, in a commit; its hash.

        Again, it is the same commit.
        """
        folder = self.path / KERNEL_FOLDER
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
        commit_changes(self.path, KERNEL_FOLDER, message)
        return head(self.path)
