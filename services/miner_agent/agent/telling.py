"""Telling: the logbook as a proposer is told it, and as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.tables import BEST, Shift, State, Try
from services.miner_agent.explain import printable
from services.miner_agent.proposers.protocol import Situation, Tried

RESULT_LIMIT = 1_000


def situation_of(
    book: Logbook, best: Try, files: dict[str, str], rules: str
) -> Situation:
    """All that a proposer is told: files, tries, rules, and the speed."""
    tried = tuple(
        Tried(
            summary=one.summary,
            kept=one.state in BEST and one.code is None,
            result=one.result[:RESULT_LIMIT],
            choices=one.choices,
        )
        for one in book.tries(best.sequence_length)
        if not one.is_start and one.state != State.PROPOSED
    )
    standing = f"The best kernel: {best.result}."
    if best.tokens_per_sec is not None and best.speedup is not None:
        standing = (
            f"The best kernel runs at {best.tokens_per_sec:,.0f} tokens/s for"
            f" {best.sequence_length} tokens, {best.speedup:.2f} x the"
            " trusted one."
        )
    return Situation(files=files, tried=tried, rules=rules, standing=standing)


def as_dict(
    shifts: Sequence[Shift], tries: Sequence[Try], spent: float
) -> dict[str, Any]:
    """The logbook for machines; the kernels' texts lie in git."""
    return {
        "shifts": [_shift(one) for one in shifts],
        "tries": [_try(one) for one in tries],
        "spent": spent,
    }


def as_lines(
    shifts: Sequence[Shift], tries: Sequence[Try], spent: float
) -> list[str]:
    """The logbook for people: a line for each try, and what came of it."""
    if not tries:
        return ["the journal is empty: `quasar miner run` writes it"]
    lines = []
    for one in tries:
        speed = one.tokens_per_sec
        told = f"{speed:,.0f} tokens/s" if speed is not None else "-"
        lines.append(
            f"{one.id:>4}  {one.began_at:%Y-%m-%d %H:%M}  {one.state:<10}"
            f" {told:>16}  {one.summary}"
        )
        lines.append(f"      {one.result or 'not judged yet'}")
        if one.submission_id is not None:
            lines.append(
                f"      commit {(one.commit_hash or '')[:12]}, submission"
                f" {one.submission_id}: {one.status or 'on its way'}"
            )
    kept = sum(one.state in BEST and not one.is_start for one in tries)
    handed_in = sum(one.submission_id is not None for one in tries)
    worked = sum(one.worked_seconds for one in shifts) / 60
    made = sum(not one.is_start for one in tries)
    lines.append(
        f"{made} tried, {kept} kept, {handed_in} handed in;"
        f" {worked:.0f} min worked, {spent:.4g} spent"
    )
    last = shifts[-1]
    ended = last.ended_because or "it is at work, or was cut short"
    lines.append(f"last shift: {ended}")
    return [printable(line) for line in lines]


def _shift(one: Shift) -> dict[str, Any]:
    return {
        "id": one.id,
        "began_at": f"{one.began_at.isoformat()}Z",
        "worked_seconds": one.worked_seconds,
        "ended_because": one.ended_because,
    }


def _try(one: Try) -> dict[str, Any]:
    names = (
        *("id", "shift_id", "parent_id", "is_start", "sequence_length"),
        *("proposer", "summary", "choices", "state", "result", "code"),
        *("tokens_per_sec", "speedup", "gain_low", "gain_high"),
        *("commit_hash", "submission_id", "status"),
    )
    value = {name: getattr(one, name) for name in names}
    value["changed"] = sorted(one.files) if not one.is_start else []
    value["began_at"] = f"{one.began_at.isoformat()}Z"
    return value
