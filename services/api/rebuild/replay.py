"""Replay: row after row of the log, from the first, into books."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from quasar_core.domain.outcomes import Outcome
from quasar_core.domain.rounds import RoundStatus
from quasar_core.domain.submissions import INITIAL, MOVES, Status
from quasar_core.errors import Stage

from services.api.db.records import LogRow
from services.api.db.tampering import Finding
from services.api.rebuild.books import (
    RUN_ID,
    UNREADABLE,
    Books,
    Facts,
    Frozen,
)

ENTERED = (
    "hotkey",
    "coldkey",
    "fork_url",
    "commit_hash",
    "target_sequence_length",
    "league",
    "multiplier",
    "commit_block",
    "is_rerun",
    "claimed_tokens_per_sec",
    "identity",
    "tree_hash",
)
"""What is known of a submission when it enters, or is revealed."""

ARCHIVED = ("identity", "tree_hash")
SCORED = (
    "tokens_per_sec",
    "tokens_per_sec_low",
    "tokens_per_sec_high",
    "speedup_vs_baseline",
    "weighted_score",
    RUN_ID,
)
"""What a benchmark adds; a new attempt takes it back."""

FACTS_AT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Status.COMMITTED: ENTERED,
        Status.QUEUED: ENTERED,
        Status.VERIFYING: (*SCORED, *ARCHIVED),
        Status.REJECTED: ("code",),
    }
)
"""Which of the evidence are facts, by where a move goes: the rest may say
anything, for workers wrote it."""

CARRIED = ("league", "multiplier", "weighted_score")


def replay(rows: Iterable[LogRow]) -> Books:
    """The books that these rows amount to, in their order.

    What cannot have happened stands among the books' findings.
    """
    books = Books()
    for row in rows:
        apply = KINDS.get(row.kind)
        if apply is None:
            continue
        try:
            apply(books, row)
        except UNREADABLE as fault:
            kind = type(fault).__name__
            _wrong(books, row, f"cannot be replayed ({kind})")
    return books


def _wrong(books: Books, row: LogRow, what: str) -> None:
    where = f"row {row.sequence} of the log"
    books.findings.append(Finding(where, what))


def _take(facts: Facts, row: LogRow, names: Iterable[str]) -> None:
    for name in names:
        if name in row.evidence:
            facts[name] = row.evidence[name]


def _submission(books: Books, row: LogRow) -> Facts | None:
    """The facts of the submission that a row speaks of, if it is known."""
    facts = books.submissions.get(row.submission_id or UUID(int=0))
    if facts is None:
        _wrong(
            books,
            row,
            f"tells of submission {row.submission_id}, which never entered",
        )
    return facts


def _moved(books: Books, row: LogRow) -> None:
    if row.from_status is None:
        _entered(books, row)
        return
    facts = _submission(books, row)
    if facts is None:
        return
    was = facts["status"]
    step = (row.from_status, row.to_status)
    if was != row.from_status or step not in MOVES:
        _wrong(
            books,
            row,
            f"moves submission {row.submission_id} from {row.from_status}"
            f" to {row.to_status}, and it was {was}",
        )
    if row.to_status == Status.QUEUED and was != Status.COMMITTED:
        for name in (*SCORED, "code"):
            facts.pop(name, None)
    facts["status"] = row.to_status
    facts["round_number"] = row.round_number
    _take(facts, row, FACTS_AT.get(row.to_status or "", ()))


def _entered(books: Books, row: LogRow) -> None:
    known = row.submission_id is None or row.submission_id in books.submissions
    if known or row.to_status not in INITIAL:
        _wrong(books, row, f"enters submission {row.submission_id} once more")
        return
    assert row.submission_id is not None  # noqa: S101 -- not known
    facts: Facts = {"status": row.to_status, "round_number": row.round_number}
    _take(facts, row, ENTERED)
    books.submissions[row.submission_id] = facts


def _staged(books: Books, row: LogRow) -> None:
    archived = row.evidence.get("state") == "archived"
    if row.stage == Stage.FETCH and archived:
        facts = _submission(books, row)
        if facts is not None:
            _take(facts, row, ARCHIVED)


def _carried(books: Books, row: LogRow) -> None:
    facts = _submission(books, row)
    if facts is None:
        return
    facts["round_number"] = row.round_number
    scored = facts.get("tokens_per_sec") is not None
    _take(facts, row, CARRIED if scored else CARRIED[:2])


def _turned(books: Books, row: LogRow) -> None:
    number, block = row.round_number or 0, row.evidence.get("block")
    facts = books.rounds.get(number)
    if facts is None:
        settings = row.evidence.get("settings")
        if row.from_status is not None or settings is None:
            _wrong(books, row, f"turns round {number}, which never opened")
            return
        books.rounds[number] = {
            "number": number,
            "status": row.to_status,
            "pool": settings["pool"],
            "settings": settings,
            "opened_at_block": block,
            "closes_at_block": block + settings["round_blocks"],
        }
        return
    if facts["status"] != row.from_status:
        _wrong(
            books,
            row,
            f"turns round {number} from {row.from_status}, and it was"
            f" {facts['status']}",
        )
    if row.from_status == row.to_status == RoundStatus.OPEN:
        facts["closes_at_block"] = block
    facts["status"] = row.to_status
    if row.to_status == RoundStatus.FINALISED:
        facts["finalised_at_block"] = block
        _freeze(books, row, number)


def _freeze(books: Books, row: LogRow, number: int) -> None:
    """Rank by the rules, and hold the log to what it said itself."""
    ranking = books.contest(number).ranking()
    books.rounds[number]["burn_share"] = ranking.rewards.burn
    books.standings[number] = Frozen(
        ranking.rows(), ranking.rewards.burn, row.sequence
    )
    if row.evidence.get("shares") != dict(ranking.rewards.by_hotkey):
        _wrong(books, row, "tells other shares than the rules give")


def _weighed(books: Books, row: LogRow) -> None:
    told = dict(row.evidence)
    # reports of before the log named them cannot be found again
    report_id = told.pop("report_id", None)
    if report_id is not None:
        books.reports[report_id] = {
            "validator_hotkey": row.actor.removeprefix("validator:"),
            "round_number": row.round_number,
            "reported_at": row.occurred_at,
            **told,
        }


def _challenged(books: Books, row: LogRow) -> None:
    """An outcome; that one was asked for, or ran, decides nothing."""
    if row.to_status in set(Outcome):
        pair = (row.evidence["challenger"], row.evidence["defender"])
        known = books.outcomes.setdefault(row.round_number or 0, {})
        if pair in known:
            _wrong(books, row, f"decides the challenge of {pair[0]} again")
            return
        known[pair] = Outcome(row.to_status)


KINDS: Mapping[str, Callable[[Books, LogRow], None]] = MappingProxyType(
    {
        "moved": _moved,
        "stage": _staged,
        "carried": _carried,
        "round": _turned,
        "challenge": _challenged,
        "weights": _weighed,
    }
)
"""What each kind of row does; another kind changes no board."""
