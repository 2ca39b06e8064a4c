"""A miner's side of commit and reveal, as requests to a world's API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from quasar_core.domain.commitments import commitment_hash

from tests.support.api import World, submission
from tests.support.wallets import address

WINDOW = {"blocks_until_reveal": 10, "reveal_window": 30}
SALT = "ab" * 16


@dataclass
class Seal:
    """What a miner seals, and the requests that he makes of it."""

    name: str
    salt: str = SALT
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def sealed(self) -> dict[str, Any]:
        """The fields of the submission that the hash binds."""
        ordinary = submission(self.name)
        del ordinary["tokens_per_sec"]
        return {**ordinary, **self.fields}

    @property
    def commitment(self) -> str:
        """The commitment's hash."""
        return commitment_hash(
            hotkey=address(self.name), salt=self.salt, **self.sealed
        )

    @property
    def opening(self) -> dict[str, Any]:
        """The body of a reveal."""
        return {
            "commitment_hash": self.commitment,
            "salt": self.salt,
            **self.sealed,
        }

    def commit(self, world: World) -> Any:
        """POST /commit_submission."""
        body = {"commitment_hash": self.commitment}
        return world.post(self.name, "/commit_submission", body)

    def committed(self, world: World) -> UUID:
        """Commit, and be accepted."""
        answer = self.commit(world)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["submission_id"])

    def reveal(self, world: World, by: str | None = None, **other: Any) -> Any:
        """POST /reveal_submission, by its owner unless somebody else does."""
        body = {**self.opening, **other}
        return world.post(by or self.name, "/reveal_submission", body)


def withdraw(world: World, name: str, submission_id: UUID) -> Any:
    """POST /submissions/{id}/withdraw."""
    return world.post(name, f"/submissions/{submission_id}/withdraw", {})
