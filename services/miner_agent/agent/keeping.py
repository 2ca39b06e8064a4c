"""Keeping: the best kernel, in the logbook and in git; and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.tables import BEST, State, Try
from services.miner_agent.agent.task import Task


@dataclass(frozen=True)
class Keeper:
    """Sees to it that the fork holds what the logbook calls the best."""

    task: Task

    @property
    def book(self) -> Logbook:
        """Where it is written down."""
        return self.task.logbook

    def best(self) -> Try:
        """The best kernel; the one that the fork began with is one."""
        best = self.book.best(self.task.sequence_length)
        assert best is not None  # noqa: S101 -- the start is one
        return best

    def of_files(self, files: dict[str, str]) -> Try | None:
        """The kept try whose kernel this is, the newest."""
        for one in reversed(self.book.tries(self.task.sequence_length)):
            if one.state in BEST and self.book.files(one) == files:
                return one
        return None

    def commit(self, one: Try) -> None:
        """Put a kept change into git; again, nothing happens."""
        task = self.task
        if task.desk is None:
            self.book.put(one, state=State.OVERTAKEN)
            return
        message = f"{one.summary}\n\n{one.result}"
        commit_hash = task.workshop.commit(self.book.files(one), message)
        self.book.put(one, state=State.COMMITTED, commit_hash=commit_hash)
        task.say(
            "committed",
            f"try {one.id}: commit {commit_hash[:12]}",
            id=one.id,
            commit_hash=commit_hash,
        )

    def roll_back(self, wrong: Try) -> None:
        """Go back to the best kernel that nobody found wrong."""
        task, best = self.task, self.best()
        message = f"Go back: {wrong.summary} was {wrong.code}"
        commit_hash = task.workshop.commit(self.book.files(best), message)
        task.say(
            "rolled_back",
            f"try {wrong.id} was {wrong.code}: back to try {best.id}",
            id=wrong.id,
            commit_hash=commit_hash,
        )
