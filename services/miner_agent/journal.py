"""The journal: sealed submissions on disk, with the salts that open them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError
from quasar_core.contracts.http import RevealRequest
from quasar_core.contracts.values import (
    CommitHash,
    Contract,
    Hotkey,
    Sha256Hex,
)
from quasar_core.errors import QuasarError
from quasar_core.worker.durable import write_durably
from quasar_core.worker.locks import FileLock

SUFFIX = ".json"


class JournalFault(QuasarError):
    """A page of the journal cannot be used; the text says which."""


class Step(StrEnum):
    """How far a sealed submission has come."""

    SEALED = "sealed"
    """Written down here; it may or may not have reached the API."""
    COMMITTED = "committed"
    PUSHED = "pushed"
    REVEALED = "revealed"
    LOST = "lost"
    """Its window passed, or it was withdrawn: its secret is worth nothing."""


UNFINISHED = frozenset({Step.SEALED, Step.COMMITTED, Step.PUSHED})


class Page(Contract):
    """One sealed submission: all that it takes to go on with it."""

    step: Step
    netuid: int
    hotkey: Hotkey
    fork_url: str
    remote: str | None
    """Where it is pushed to; None where the judge reads it where it is."""
    commit_hash: CommitHash
    target_sequence_length: int
    salt: str
    commitment_hash: Sha256Hex
    claimed_tokens_per_sec: float | None = None
    submission_id: UUID | None = None
    reveal_from_block: int | None = None
    reveal_until_block: int | None = None

    @property
    def branch(self) -> str:
        """The branch that holds this commit alone, in the remote."""
        return f"quasar-{self.commit_hash[:12]}"

    @property
    def opening(self) -> RevealRequest:
        """What opens the seal."""
        return RevealRequest(
            commitment_hash=self.commitment_hash,
            fork_url=self.fork_url,
            commit_hash=self.commit_hash,
            target_sequence_length=self.target_sequence_length,
            salt=self.salt,
            tokens_per_sec=self.claimed_tokens_per_sec,
        )


class Journal:
    """A folder with a page for each sealed submission, for its user alone.

    A page is on disk before what it tells of is done, and is replaced
    whole.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)

    def put(self, page: Page) -> Page:
        """Write a page, in place of an earlier one; the page."""
        path = self._directory / f"{page.commitment_hash}{SUFFIX}"
        write_durably(path, page.model_dump_json())
        return page

    def pages(self) -> list[Page]:
        """All pages; raises JournalFault for one that cannot be read."""
        return [
            _read(path)
            for path in sorted(self._directory.glob(f"[!.]*{SUFFIX}"))
        ]

    def of(self, netuid: int, hotkey: str) -> list[Page]:
        """What one hotkey has sealed on one subnet and not lost."""
        return [
            page
            for page in self.pages()
            if page.step is not Step.LOST
            and (page.netuid, page.hotkey) == (netuid, hotkey)
        ]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else goes on meanwhile; raises LockTaken where one does."""
        lock = FileLock(self._directory / "lock")
        with lock.held_at_once(
            "another `quasar miner` is at this repository's sealed"
            " submissions: let it finish, or end it"
        ):
            yield


def _read(path: Path) -> Page:
    try:
        return Page.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as fault:
        raise JournalFault(
            f"{path} cannot be read: it holds the salt of a sealed"
            " submission; put back a copy of it, or move it away"
        ) from fault
