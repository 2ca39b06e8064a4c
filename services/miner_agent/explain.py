"""Verdicts in plain words, and strangers' text made safe to print."""

from __future__ import annotations

from quasar_core.contracts.http import (
    FURTHEST_POSITION,
    SubmissionAccepted,
    SubmissionView,
)
from quasar_core.contracts.reports import Rejection
from quasar_core.contracts.values import Evidence
from quasar_core.domain.submissions import Status
from quasar_core.errors import REJECTION_SENTENCES

LOG_LINES = 20
_OTHER_ENDINGS = {
    Status.INFRA_FAILED: (
        "The platform failed at it three times. That is no fault of yours"
        " and cost you nothing: submit it again."
    ),
    Status.QUARANTINED: "An administrator has to look at it first.",
    Status.INVALIDATED: "An administrator declared it invalid.",
    Status.EXPIRED: "It was not revealed in time.",
    Status.WITHDRAWN: "It was withdrawn.",
}


def printable(text: str) -> str:
    """`text` with everything that a terminal would obey spelt out."""
    return "".join(
        char if char.isprintable() or char == "\n" else _spelt(char)
        for char in text
    )


def explained_rejection(rejection: Rejection) -> list[str]:
    """A rejection, line by line: code, sentence, evidence, last output."""
    lines = [
        f"rejected at stage {rejection.stage.value}: {rejection.code.value}",
        REJECTION_SENTENCES[rejection.code],
    ]
    if rejection.detail:
        lines.append(printable(rejection.detail))
    lines += explained_evidence(rejection.evidence)
    tail = printable(rejection.log_tail).strip().splitlines()[-LOG_LINES:]
    if tail:
        lines += ["last output of the kernel:", *(f"  | {x}" for x in tail)]
    return lines


def explained_evidence(evidence: Evidence) -> list[str]:
    """The evidence as sentences where it has a known form, else as it is."""
    rest = {key: value for key, value in evidence.items() if value is not None}
    lines = []
    if {"file", "line"} <= rest.keys():
        lines.append(f"in {rest.pop('file')}, line {rest.pop('line')}")
    if {"error", "bound"} <= rest.keys():
        where = " and ".join(
            f"{key} {rest.pop(key)}"
            for key in ("token", "head", "batch")
            if key in rest
        )
        family = rest.pop("family", None)
        lines.append(
            (f"on inputs of the family {family}, " if family else "")
            + f"{where or 'the output'} is off by"
            f" {_number(rest.pop('error'))};"
            f" at most {_number(rest.pop('bound'))} is allowed"
        )
    lines += [
        f"{key.replace('_', ' ')}: {_number(value)}"
        for key, value in rest.items()
    ]
    return [printable(line) for line in lines]


def explained(view: SubmissionView) -> list[str]:
    """Where a submission stands, or how it ended."""
    if view.verdict is not None and view.status == Status.REJECTED:
        return explained_rejection(view.verdict.rejection)
    if view.score is not None and view.status == Status.SCORED:
        return _explained_score(view)
    ending = _OTHER_ENDINGS.get(Status(view.status))
    if ending is not None:
        return [f"{view.status}: {ending}"]
    return [f"{view.status}{_waiting(view)}"]


def explained_acceptance(
    accepted: SubmissionAccepted, commit_hash: str
) -> list[str]:
    """What was handed in, where it stands, and what quota is left."""
    quota = accepted.quota
    left = quota.judged_this_round_limit - quota.judged_this_round
    queue = f", {_place(accepted.position)}" if accepted.position else ""
    eta = accepted.eta_seconds
    expected = (
        "unknown: no worker has been heard of yet"
        if eta is None
        else f"in about {eta:.0f} s"
    )
    return [
        f"submission: {accepted.submission_id}",
        f"commit:     {commit_hash}",
        f"league:     {accepted.league}, round {accepted.round_number}",
        f"status:     {accepted.status}{queue}",
        f"expected:   {expected}",
        f"quota:      {left} more judgings in this round",
        f"watch it:   quasar miner status {accepted.submission_id} --watch",
    ]


def scored(tokens_per_sec: float, low: float, high: float) -> str:
    """A speed with its interval."""
    return f"{tokens_per_sec:,.0f} tokens/s ({low:,.0f} to {high:,.0f})"


def _explained_score(view: SubmissionView) -> list[str]:
    assert view.score is not None  # noqa: S101 -- asked by the only caller
    score = view.score
    low, high = score.tokens_per_sec_low, score.tokens_per_sec_high
    speedup = f"{score.speedup_vs_baseline:.2f} x the baseline"
    lines = [
        f"scored: {scored(score.tokens_per_sec, low, high)}, {speedup}",
    ]
    if view.weighted_score is not None:
        lines.append(
            f"weighted score {view.weighted_score:,.0f} in league"
            f" {view.league} (x {view.multiplier:g})"
        )
    if view.claimed_tokens_per_sec is not None:
        lines.append(f"claimed: {view.claimed_tokens_per_sec:,.0f} tokens/s")
    return lines


def _waiting(view: SubmissionView) -> str:
    parts = []
    if view.status == Status.COMMITTED and view.commitment is not None:
        first = view.commitment.reveal_from_block
        last = view.commitment.reveal_until_block
        parts.append(f"to be revealed from block {first} until {last}")
    if view.stage is not None:
        parts.append(f"stage {view.stage.value}")
    if view.position is not None:
        parts.append(_place(view.position))
    if view.eta_seconds is not None:
        parts.append(f"about {view.eta_seconds:.0f} s to go")
    return f" ({', '.join(parts)})" if parts else ""


def _place(position: int) -> str:
    if position >= FURTHEST_POSITION:
        return f"behind {FURTHEST_POSITION - 1:,} others or more in the queue"
    return f"number {position} in the queue"


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _spelt(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
