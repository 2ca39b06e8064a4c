"""The audit: standings of a final round, judged again from the archive."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeVar
from uuid import UUID

from quasar_core.contracts.http import (
    RoundView,
    Standings,
    StandingsRow,
    SubmissionView,
)
from quasar_core.contracts.reports import Source, SourceFile
from quasar_core.domain.audits import (
    Claim,
    Rejudged,
    contradictions,
    disagreements,
)
from quasar_core.domain.identity import identity
from quasar_core.domain.sources import tree_hash
from quasar_core.errors import QuasarError, TransientError

AGREES, DISAGREES, NOT_AUDITED = "agrees", "disagrees", "not_audited"

T = TypeVar("T")
Tell = Callable[[str], None]


class NothingToAudit(QuasarError):
    """There is no final round, or no standing in it; the text says which."""


class Archive(Protocol):
    """What the audit reads of the API."""

    def current_round(self) -> RoundView:
        """The open round."""
        ...

    def round(self, round_number: int) -> RoundView:
        """A round by its number."""
        ...

    def standings(self, round_number: int) -> Standings:
        """The standings of a round."""
        ...

    def submission(self, submission_id: UUID) -> SubmissionView:
        """One submission."""
        ...

    def source(self, submission_id: UUID) -> Source:
        """Its archived files."""
        ...


class Judge(Protocol):
    """Judges strangers' code as the workers do."""

    def __call__(
        self, source: Source, sequence_length: int, current: RoundView
    ) -> Rejudged:
        """The verdict here; TransientError where there is none."""
        ...


@dataclass(frozen=True)
class Finding:
    """What became of auditing one standing."""

    place: int
    submission_id: UUID
    hotkey: str
    outcome: str
    reasons: tuple[str, ...] = ()
    claim: Claim | None = None
    rejudged: Rejudged | None = None


@dataclass(frozen=True)
class Audit:
    """All findings, and with which seed the sample is drawn again."""

    round_number: int
    seed: int
    tolerance: float
    standings: int
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    def count(self, outcome: str) -> int:
        """How many findings have this outcome."""
        return sum(each.outcome == outcome for each in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For machines: plain values."""
        return {
            "round_number": self.round_number,
            "seed": self.seed,
            "tolerance": self.tolerance,
            "standings": self.standings,
            "findings": [
                {**asdict(each), "submission_id": str(each.submission_id)}
                for each in self.findings
            ],
        }

    def as_lines(self) -> list[str]:
        """For people: a table."""
        judged = f"{len(self.findings)} of {self.standings} standings"
        names = f"{'submission':<36}  {'stands':>9}  {'here':>9}"
        lines = [
            f"round {self.round_number}: {judged} again (seed {self.seed})",
            f"{'place':>5}  {names}  outcome",
        ]
        for each in self.findings:
            stands = each.claim.speedup_vs_baseline if each.claim else None
            here = each.rejudged and each.rejudged.speedup_vs_baseline
            lines.append(
                f"{each.place:>5}  {each.submission_id}  {_times(stands)}"
                f"  {_times(here)}  {each.outcome}"
            )
            lines += [f"{'':>7}{reason}" for reason in each.reasons]
        return lines


def sample(rows: Sequence[T], size: int, seed: int) -> tuple[T, ...]:
    """`size` of the rows (or all), in their order; the seed tells which.

    Raises ValueError for a sample of nothing.
    """
    if size < 1:
        raise ValueError("an audit looks at one standing at least")
    if size >= len(rows):
        return tuple(rows)
    draw = random.Random(seed)  # noqa: S311 -- to be drawn again
    chosen = draw.sample(range(len(rows)), size)
    return tuple(rows[at] for at in sorted(chosen))


def final_round(archive: Archive, round_number: int | None) -> int:
    """The round that was asked for, or the newest final one.

    Raises NothingToAudit where no round is final yet.
    """
    if round_number is None:
        round_number = archive.current_round().latest_finalised_round
    if round_number is None:
        raise NothingToAudit("no round is final yet")
    return round_number


def audit_round(
    archive: Archive,
    judge: Judge,
    *,
    round_number: int,
    size: int,
    seed: int,
    tolerance: float,
    tell: Tell,
) -> Audit:
    """Judge a random sample of a final round's standings again.

    Raises NothingToAudit where the round is not final or nobody stands in
    it; ProblemAnswer and ApiUnavailable as the archive does.
    """
    standings = archive.standings(round_number)
    if not standings.final:
        raise NothingToAudit(f"round {round_number} is not final yet")
    if not standings.rows:
        raise NothingToAudit(f"nobody stands in round {round_number}")
    current = archive.round(round_number)
    rows = sample(standings.rows, size, seed)
    findings = []
    for at, row in enumerate(rows, start=1):
        tell(f"{at} of {len(rows)}: place {row.place}, {row.submission_id}")
        findings.append(_audit(archive, judge, current, row, tolerance))
    return Audit(
        round_number=round_number,
        seed=seed,
        tolerance=tolerance,
        standings=len(standings.rows),
        findings=tuple(findings),
    )


def _audit(
    archive: Archive,
    judge: Judge,
    current: RoundView,
    row: StandingsRow,
    tolerance: float,
) -> Finding:
    multipliers = {each.name: each.multiplier for each in current.leagues}
    claim = Claim(
        tokens_per_sec=row.tokens_per_sec,
        speedup_vs_baseline=row.speedup_vs_baseline,
        weighted_score=row.weighted_score,
        multiplier=multipliers.get(row.league, float("nan")),
    )
    view = archive.submission(row.submission_id)
    reasons = (*contradictions(claim, _reported(view)), *_strangers(row, view))
    rejudged = None
    outcome = DISAGREES
    try:
        source = _as_source(archive.source(row.submission_id).files)
        reasons += _forgeries(source, view)
        rejudged = judge(source, row.target_sequence_length, current)
        reasons += disagreements(claim, rejudged, tolerance)
    except TransientError as fault:
        outcome = DISAGREES if reasons else NOT_AUDITED
        reasons += (f"it could not be judged here: {fault}",)
    else:
        outcome = DISAGREES if reasons else AGREES
    return Finding(
        place=row.place,
        submission_id=row.submission_id,
        hotkey=row.hotkey,
        outcome=outcome,
        reasons=reasons,
        claim=claim,
        rejudged=rejudged,
    )


def _reported(view: SubmissionView) -> float | None:
    """The speed that the shown samples amount to, by our own rules."""
    if view.timing is None:
        return None
    try:
        return view.timing.derived().tokens_per_sec
    except ValueError:
        return math.nan


def _strangers(row: StandingsRow, view: SubmissionView) -> tuple[str, ...]:
    """What the standing says otherwise than the submission does."""
    stands: Mapping[str, Any] = {
        "hotkey": row.hotkey,
        "league": row.league,
        "target_sequence_length": row.target_sequence_length,
    }
    return tuple(
        f"{name} {value} stands, the submission has {getattr(view, name)}"
        for name, value in stands.items()
        if value != getattr(view, name)
    )


def _as_source(files: tuple[SourceFile, ...]) -> Source:
    """The files under the hashes that we make of them ourselves."""
    texts = {each.name: each.text for each in files}
    return Source(
        files=files, identity=identity(texts), tree_hash=tree_hash(texts)
    )


def _forgeries(source: Source, view: SubmissionView) -> tuple[str, ...]:
    """Where the archived files are not the ones that were judged."""
    made = {"identity": source.identity, "tree_hash": source.tree_hash}
    return tuple(
        f"the archived files have {name} {value[:12]}, not"
        f" {(getattr(view, name) or 'any')[:12]}"
        for name, value in made.items()
        if value != getattr(view, name)
    )


def _times(value: float | None) -> str:
    return f"{'-':>9}" if value is None else f"{value:8.2f}x"
