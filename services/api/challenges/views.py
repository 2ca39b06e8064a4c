"""Challenges as they are shown: to everybody, and to one of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from quasar_core.contracts.http import (
    ChallengePage,
    ChallengeView,
    Contender,
    ExplainedChallenge,
)
from quasar_core.domain.outcomes import CHALLENGE_CONFIDENCE, Outcome
from quasar_core.domain.rounds import RoundSettings

from services.api.challenges.repository import Duel
from services.api.db.models import Round, Submission

OPEN_SENTENCE = "It waits for its run, or is being run."

OUTCOME_SENTENCES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.WON: "The challenger was shown to be better, and passes.",
        Outcome.NO_BETTER: (
            "The challenger was shown to be no better: it stays below, and"
            " joins the defender's level."
        ),
        Outcome.UNDECIDED: (
            "The challenger was not shown to be better, or its run never came"
            " to an end: it stays below."
        ),
    }
)


def page(row: Round, duels: Sequence[Duel], limit: int) -> ChallengePage:
    """The first `limit` of these challenges; the page ends with them."""
    rules = RoundSettings.from_dict(row.settings)
    more = len(duels) > limit
    return ChallengePage(
        round_number=row.number,
        round_status=row.status,
        confidence=CHALLENGE_CONFIDENCE,
        passes_above=1 + rules.min_improvement / 2,
        no_better_up_to=1 + rules.min_improvement,
        challenges=tuple(
            ChallengeView(**_told(duel)) for duel in duels[:limit]
        ),
        next_cursor=str(duels[limit - 1].challenge.id) if more else None,
    )


def seen_by(hotkey: str, duel: Duel) -> ExplainedChallenge:
    """A challenge as the miner sees it who is one of the two."""
    attacks = duel.challenger.hotkey == hotkey
    outcome = duel.challenge.outcome
    return ExplainedChallenge(
        **_told(duel),
        side="challenger" if attacks else "defender",
        won=None if outcome is None else (outcome == Outcome.WON) is attacks,
    )


def _told(duel: Duel) -> dict[str, Any]:
    row = duel.challenge
    report = row.report or {}
    fault = report.get("fault") or {}
    return {
        "challenge_id": row.id,
        "challenger": _contender(duel.challenger),
        "defender": _contender(duel.defender),
        "outcome": row.outcome,
        "sentence": (
            OPEN_SENTENCE
            if row.outcome is None
            else OUTCOME_SENTENCES[Outcome(row.outcome)]
        ),
        "ratio_low": row.ratio_low,
        "ratio_high": row.ratio_high,
        "fault_of": fault.get("side"),
        "code": fault.get("rejection", {}).get("code"),
        "run_id": report.get("manifest", {}).get("run_id"),
        "asked_at": row.created_at,
        "decided_at": row.decided_at,
    }


def _contender(row: Submission) -> Contender:
    return Contender(
        submission_id=row.id,
        hotkey=row.hotkey,
        league=row.league,
        target_sequence_length=row.target_sequence_length,
        weighted_score=row.weighted_score,
    )
