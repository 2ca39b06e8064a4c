"""Books: what a log amounts to, as plain facts by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from quasar_core.contracts.http import StandingsRow
from quasar_core.domain.outcomes import Outcome, Pair
from quasar_core.domain.precedence import Commit, Precedence
from quasar_core.domain.submissions import Status

from services.api.db.models import Round, Submission
from services.api.db.tampering import Finding
from services.api.leaderboard.contest import Contest

Facts = dict[str, Any]

RUN_ID = "run_id"

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
"""What comes of a row that somebody has bent: it is named, and no more."""


@dataclass
class Frozen:
    """Standings as they were when a round ended."""

    rows: tuple[StandingsRow, ...]
    burn_share: float
    told_at: int
    """The row of the log that tells of it."""


@dataclass
class Books:
    """Submissions, rounds, standings and reports, as the log tells them."""

    submissions: dict[UUID, Facts] = field(default_factory=dict)
    rounds: dict[int, Facts] = field(default_factory=dict)
    standings: dict[int, Frozen] = field(default_factory=dict)
    outcomes: dict[int, dict[Pair, Outcome]] = field(default_factory=dict)
    """What the challenges of each round have shown."""
    reports: dict[int, Facts] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def contest(self, number: int) -> Contest:
        """The contest of a round as the books have it now."""
        return Contest(
            row=Round(**self.rounds[number]),
            scored=[
                _row_of(submission_id, facts)
                for submission_id, facts in self.submissions.items()
                if facts["round_number"] == number
                and facts["status"] == Status.SCORED
            ],
            precedence=Precedence.of(self._commits()),
            outcomes=self.outcomes.get(number, {}),
        )

    def _commits(self) -> Iterator[Commit]:
        for submission_id, facts in self.submissions.items():
            identity = facts.get("identity")
            if identity and facts["status"] != Status.INVALIDATED:
                yield Commit(
                    str(submission_id),
                    facts["hotkey"],
                    facts["coldkey"],
                    identity,
                    facts["league"],
                    facts["commit_block"],
                )


def _row_of(submission_id: UUID, facts: Facts) -> Submission:
    columns = {k: v for k, v in facts.items() if k != RUN_ID}
    manifest = {RUN_ID: facts[RUN_ID]} if facts.get(RUN_ID) else None
    return Submission(id=submission_id, manifest=manifest, **columns)
