"""Contests: all that a round's boards are made from, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quasar_core.contracts.http import Leaderboard, LeaderboardRow
from quasar_core.domain.ladder import Entry, climb, league_board
from quasar_core.domain.outcomes import Outcomes
from quasar_core.domain.precedence import Precedence
from quasar_core.domain.rounds import RoundSettings
from sqlalchemy.orm import Session

from services.api.challenges import repository as challenges
from services.api.db.models import Round, Submission
from services.api.leaderboard.entries import Ranking, entries_of, rank
from services.api.submissions import repository as submissions


@dataclass(frozen=True)
class Contest:
    """A round: its scores, who was first with what, its challenges.

    Whoever has one can make every board: the database's own is read by
    `contest_of`, the event log's is replayed.
    """

    row: Round
    scored: Sequence[Submission]
    precedence: Precedence
    outcomes: Outcomes

    @property
    def settings(self) -> RoundSettings:
        """What the round froze when it opened."""
        return RoundSettings.from_dict(self.row.settings)

    def entries(self) -> list[Entry]:
        """What is scored, as the rules rank it."""
        return entries_of(self.scored, self.precedence)

    def ranking(self) -> Ranking:
        """Places and shares."""
        return rank(self.entries(), self.settings, self.outcomes)

    def board(self, league: str | None, limit: int) -> Leaderboard:
        """The overall board (weighted), or one league's (plain)."""
        settings = self.settings
        entries = self.entries()
        if league is None:
            ladder = climb(
                entries, settings.min_improvement, outcomes=self.outcomes
            )
        else:
            ladder = league_board(entries, league, settings.min_improvement)
        by_id = {str(submission.id): submission for submission in self.scored}
        return Leaderboard(
            round_number=self.row.number,
            round_status=self.row.status,
            pool=self.row.pool,
            league_unit=settings.league_unit,
            league=league,
            rows=tuple(
                _board_row(place, entry, by_id[entry.submission_id])
                for place, entry in enumerate(ladder[:limit], start=1)
            ),
        )


def contest_of(session: Session, row: Round) -> Contest:
    """The contest of a round as the database has it now."""
    return Contest(
        row,
        submissions.scored_in_round(session, row.number),
        submissions.precedence(session, row.number),
        challenges.outcomes(session, row.number),
    )


def _board_row(place: int, entry: Entry, row: Submission) -> LeaderboardRow:
    return LeaderboardRow(
        place=place,
        submission_id=row.id,
        hotkey=row.hotkey,
        league=row.league,
        multiplier=row.multiplier,
        target_sequence_length=row.target_sequence_length,
        tokens_per_sec=entry.tokens_per_sec,
        tokens_per_sec_low=row.tokens_per_sec_low or entry.tokens_per_sec,
        tokens_per_sec_high=row.tokens_per_sec_high or entry.tokens_per_sec,
        weighted_score=entry.weighted_score,
        speedup_vs_baseline=entry.speedup_vs_baseline,
        claimed_tokens_per_sec=row.claimed_tokens_per_sec,
        commit_block=entry.commit_block,
        run_id=(row.manifest or {}).get("run_id", ""),
    )
