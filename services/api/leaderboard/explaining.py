"""Explaining: a miner's place and share, taken apart into their factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from quasar_core.contracts.http import (
    ExplainedChallenge,
    ExplainedSubmission,
    Explanation,
    LevelFounder,
    Neighbour,
    ShareFactors,
    Standings,
    StandingsRow,
)
from quasar_core.domain.ladder import UnpaidReason
from quasar_core.domain.rewards import SHARES
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import Status
from quasar_core.errors import REJECTION_SENTENCES, RejectionCode

from services.api.db.models import Submission

MOST_SUBMISSIONS = 200
MOST_CHALLENGES = 200

COUNTED = "counted"
NOT_HIGHEST = "not_the_highest"

UNPAID_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        UnpaidReason.NOT_A_FOUNDER: (
            "An earlier entry is as good as the same, or is the same code:"
            " it founded this level, and only a founder can be paid."
        ),
        UnpaidReason.NOT_A_RECORD: (
            "It was no record when it was committed, and this round pays"
            " records only."
        ),
        UnpaidReason.NOT_FASTER_THAN_BASELINE: (
            "It does not beat the trusted baseline by more than the least"
            " improvement."
        ),
        UnpaidReason.COLDKEY_ALREADY_PAID: (
            "Another entry of the same coldkey stands higher and is paid."
        ),
        UnpaidReason.NO_PLACE_LEFT: (
            "All paid places went to entries that stand higher."
        ),
        # told of code that somebody else committed in an earlier round
        "not_the_original": (
            "Somebody else committed this code in this league before, in"
            " this round or an earlier one."
        ),
    }
)

STATUS_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        COUNTED: "It is the miner's entry on the ladder.",
        NOT_HIGHEST: "Another entry of this miner stands higher.",
        Status.COMMITTED: "It is sealed and was not revealed yet.",
        Status.QUEUED: "It waits to be judged: pending is not passed.",
        Status.BENCHMARKING: "It is being judged: pending is not passed.",
        Status.VERIFYING: (
            "Its benchmark passed, its logits are not verified yet: pending"
            " is not passed."
        ),
        Status.INFRA_FAILED: (
            "The platform failed at it three times; that cost no quota."
        ),
        Status.QUARANTINED: (
            "It is set aside for now, by an administrator or because its"
            " times are below what its GPU allows."
        ),
        Status.INVALIDATED: "An administrator declared it invalid.",
        Status.EXPIRED: "It was not revealed in time.",
        Status.WITHDRAWN: "Its miner withdrew it.",
    }
)


@dataclass(frozen=True)
class Case:
    """What an explanation is made from."""

    standings: Standings
    settings: RoundSettings
    hotkey: str
    submissions: Sequence[Submission]
    founder: Submission | None
    """The founder of the miner's level."""
    challenges: Sequence[ExplainedChallenge] = ()

    @property
    def entry(self) -> StandingsRow | None:
        """The miner's own row."""
        return entry_of(self.standings, self.hotkey)


def entry_of(standings: Standings, hotkey: str) -> StandingsRow | None:
    """A miner's row of the standings, if he has one."""
    mine = (row for row in standings.rows if row.hotkey == hotkey)
    return next(mine, None)


def explain(case: Case) -> Explanation:
    """Every factor: who is above, the level, the share, what not counted."""
    standings, settings, entry = case.standings, case.settings, case.entry
    reason = entry.unpaid_reason if entry else None
    return Explanation(
        round_number=standings.round_number,
        round_status=standings.status,
        final=standings.final,
        hotkey=case.hotkey,
        ranked=len(standings.rows),
        min_improvement=settings.min_improvement,
        must_beat_baseline=settings.must_beat_baseline,
        one_paid_per_coldkey=settings.one_paid_per_coldkey,
        records_only=settings.records_only,
        entry=entry,
        founder=_founder(case),
        above=_neighbour(case, -1),
        below=_neighbour(case, +1),
        share=_share(case),
        unpaid_reason=reason,
        unpaid_sentence=UNPAID_SENTENCES.get(reason or ""),
        paid_instead=_paid_instead(case),
        submissions=tuple(_explained(row, entry) for row in case.submissions),
        challenges=tuple(case.challenges),
    )


def _founder(case: Case) -> LevelFounder | None:
    entry, founder = case.entry, case.founder
    if entry is None or founder is None:
        return None
    identities = {
        row.id: row.identity
        for row in case.submissions
        if row.id == entry.submission_id
    }
    return LevelFounder(
        submission_id=founder.id,
        hotkey=founder.hotkey,
        commit_block=founder.commit_block,
        weighted_score=founder.weighted_score,
        is_me=founder.id == entry.submission_id,
        same_code=(
            founder.identity is not None
            and founder.identity == identities.get(entry.submission_id)
        ),
    )


def _neighbour(case: Case, step: int) -> Neighbour | None:
    """The row above (-1) or below (+1) the miner's own."""
    entry, rows = case.entry, case.standings.rows
    if entry is None or not 0 < entry.place + step <= len(rows):
        return None
    other = rows[entry.place + step - 1]
    higher = other if step < 0 else entry
    return Neighbour(
        place=other.place,
        submission_id=other.submission_id,
        hotkey=other.hotkey,
        weighted_score=other.weighted_score,
        ahead_by=other.weighted_score / entry.weighted_score - 1,
        score_to_pass=(
            (1 + case.settings.min_improvement) * higher.weighted_score
        ),
    )


def _share(case: Case) -> ShareFactors:
    entry = case.entry
    paid_place = entry.paid_place if entry else None
    paid = [row for row in case.standings.rows if row.paid_place is not None]
    return ShareFactors(
        paid_place=paid_place,
        place_share=SHARES[paid_place - 1] if paid_place else 0.0,
        filled_places=len(paid),
        unfilled_policy=case.settings.unfilled,
        burn_share=case.standings.burn_share,
        share=entry.share if entry else 0.0,
    )


def _paid_instead(case: Case) -> UUID | None:
    entry = case.entry
    if (
        entry is None
        or entry.unpaid_reason != UnpaidReason.COLDKEY_ALREADY_PAID
    ):
        return None
    return next(
        row.submission_id
        for row in case.standings.rows
        if row.coldkey == entry.coldkey and row.paid_place is not None
    )


def _explained(
    row: Submission, entry: StandingsRow | None
) -> ExplainedSubmission:
    counted = entry is not None and row.id == entry.submission_id
    reason, sentence = _why(row, counted=counted)
    return ExplainedSubmission(
        submission_id=row.id,
        status=row.status,
        league=row.league,
        target_sequence_length=row.target_sequence_length,
        commit_block=row.commit_block,
        tokens_per_sec=row.tokens_per_sec,
        tokens_per_sec_low=row.tokens_per_sec_low,
        tokens_per_sec_high=row.tokens_per_sec_high,
        multiplier=row.multiplier,
        weighted_score=row.weighted_score,
        speedup_vs_baseline=row.speedup_vs_baseline,
        is_rerun=row.is_rerun,
        counted=counted,
        reason=reason,
        sentence=sentence,
    )


def _why(row: Submission, *, counted: bool) -> tuple[str, str]:
    if counted:
        return COUNTED, STATUS_SENTENCES[COUNTED]
    if row.status == Status.SCORED:
        return NOT_HIGHEST, STATUS_SENTENCES[NOT_HIGHEST]
    if row.status == Status.REJECTED and row.code is not None:
        return row.code, REJECTION_SENTENCES[RejectionCode(row.code)]
    return row.status, STATUS_SENTENCES.get(row.status, row.status)
