"""Precedence: who committed a work first, over all rounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Commit:
    """A submission whose code is known, of whatever round."""

    submission_id: str
    hotkey: str
    coldkey: str
    identity: str
    league: str
    commit_block: int


class Precedence:
    """What decides between a work and its copies: commits of all rounds."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, str, str], int] = {}
        self._authors: dict[tuple[str, str], tuple[str, str]] = {}

    @classmethod
    def of(cls, commits: Iterable[Commit]) -> Self:
        """The precedence that these commits give, in whatever order."""
        made = cls()
        for commit in sorted(
            commits, key=lambda one: (one.commit_block, one.submission_id)
        ):
            work = (commit.identity, commit.league)
            made._blocks.setdefault(
                (commit.hotkey, *work), commit.commit_block
            )
            made._authors.setdefault(work, (commit.hotkey, commit.coldkey))
        return made

    def block_of(
        self, hotkey: str, identity: str, league: str, otherwise: int
    ) -> int:
        """The block of a hotkey's own first commit of a work."""
        return self._blocks.get((hotkey, identity, league), otherwise)

    def is_original(
        self, hotkey: str, coldkey: str, identity: str, league: str
    ) -> bool:
        """Whether nobody else committed this work before.

        A hotkey of the same owner is nobody else: who registers anew keeps
        what is his.
        """
        author = self._authors.get((identity, league))
        return author is None or hotkey == author[0] or coldkey == author[1]
