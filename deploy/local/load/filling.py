"""A database with as many submissions as a busy year leaves behind."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from quasar_core.contracts.http import StandingsRow
from quasar_core.domain.leagues import leagues
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import Status
from sqlalchemy.orm import Session

from deploy.local.load.copying import copy
from deploy.local.load.shots import hotkey
from services.api.db import eventlog
from services.api.db.models import (
    Attempt,
    Challenge,
    Round,
    Standing,
    Submission,
)
from services.api.db.records import LogRow, WeightsReportRow
from services.api.leaderboard.service import ranking_of

START = datetime(2027, 1, 1, tzinfo=UTC)
MINERS = 200
HOUR = timedelta(hours=1)
CHALLENGES = 16
ENDS = (
    *[Status.SCORED] * 6,
    *[Status.REJECTED] * 3,
    Status.INFRA_FAILED,
)
"""How six of ten come through, three do not, and one is ours to answer."""


def fill(session: Session, submissions: int, per_round: int) -> int:
    """Rounds, final but for the last, each with its share; how many rounds.

    Every submission has its moves in the log and an attempt, every round
    its challenges, and the log of what is final is sealed; the numbers are
    drawn anew but from one seed, so that two runs compare.
    """
    draw = random.Random(7)  # noqa: S311 -- nobody bets on it
    number = 0
    rounds = -(-submissions // per_round)
    for number in range(1, rounds + 1):
        _open(session, number)
        count = min(per_round, submissions - (number - 1) * per_round)
        copy(session, Submission, _entries(draw, number, count))
        copy(session, LogRow, _moves(session, number))
        copy(session, Attempt, _attempts(session, number))
        copy(session, Challenge, _challenges(session, number))
        if number < rounds:
            _finish(session, number)
        session.commit()
    return rounds


def _open(session: Session, number: int) -> None:
    rules = RoundSettings(must_beat_baseline=False)
    session.add(
        Round(
            number=number,
            status="open",
            pool=rules.pool,
            settings=rules.to_dict(),
            opened_at_block=number * 10_000,
            closes_at_block=(number + 1) * 10_000,
            opened_at=START + number * HOUR,
            burn_share=0.0,
            results_version=1,
        )
    )
    session.flush()


def _entries(
    draw: random.Random, number: int, count: int
) -> Iterator[dict[str, Any]]:
    brackets = leagues()
    for turn in range(count):
        league = draw.choice(brackets)
        status = draw.choice(ENDS)
        speed = draw.uniform(1e4, 1e6)
        miner = draw.randrange(MINERS)
        scored = status == Status.SCORED
        code = f"{draw.getrandbits(160):040x}"
        at = START + number * HOUR + timedelta(seconds=turn)
        yield {
            "id": _id(number, turn),
            "round_number": number,
            "hotkey": hotkey(miner),
            "coldkey": f"cold-{miner}",
            "fork_url": f"https://github.com/miner-{miner}/fork",
            "commit_hash": code,
            "target_sequence_length": league.smallest_length,
            "league": league.name,
            "multiplier": league.multiplier,
            "commit_block": number * 10_000 + turn,
            "is_rerun": False,
            "status": status,
            "identity": (code * 2)[:64],
            "code": "output_mismatch" if status == Status.REJECTED else None,
            "manifest": {"run_id": f"run-{turn}", "padding": "x" * 500},
            "tokens_per_sec": speed if scored else None,
            "tokens_per_sec_low": 0.99 * speed if scored else None,
            "tokens_per_sec_high": 1.01 * speed if scored else None,
            "speedup_vs_baseline": speed / 1e5 if scored else None,
            "weighted_score": speed * league.multiplier if scored else None,
            "created_at": at,
            "updated_at": at,
        }


def _id(number: int, turn: int) -> uuid.UUID:
    """Ids that grow with time, as the API's own do."""
    return uuid.UUID(int=(number << 96) | (turn << 64) | 7)


def _of_round(session: Session, number: int) -> list[Any]:
    columns = (Submission.id, Submission.status, Submission.created_at)
    return list(
        session.query(*columns).filter(Submission.round_number == number)
    )


def _moves(session: Session, number: int) -> Iterator[dict[str, Any]]:
    for found, status, at in _of_round(session, number):
        steps = (None, "queued", "benchmarking", "verifying", status)
        for start, end in pairwise(steps):
            yield {
                "submission_id": found,
                "round_number": number,
                "kind": "moved",
                "actor": "bench",
                "from_status": start,
                "to_status": end,
                "evidence": {"n": 1},
                "occurred_at": at,
            }


def _attempts(session: Session, number: int) -> Iterator[dict[str, Any]]:
    for found, _, at in _of_round(session, number):
        yield {
            "id": found,
            "submission_id": found,
            "kind": "benchmark",
            "number": 1,
            "pool": "cpu",
            "fencing_token": "0" * 32,
            "state": "completed",
            "worker": "worker-1",
            "minted_at": at,
            "published_at": at,
            "started_at": at,
            "finished_at": at + timedelta(seconds=30),
        }


def _challenges(session: Session, number: int) -> Iterator[dict[str, Any]]:
    """The last of those that came through pass one after another."""
    scored = [
        (found, at)
        for found, status, at in _of_round(session, number)
        if status == Status.SCORED
    ]
    for turn, ((lower, _), (upper, at)) in enumerate(
        pairwise(scored[-CHALLENGES - 1 :])
    ):
        yield {
            "id": _id(number, turn),
            "round_number": number,
            "challenger_id": upper,
            "defender_id": lower,
            "outcome": "won",
            "ratio_low": 1.1,
            "ratio_high": 1.2,
            "report": {"manifest": {"run_id": f"run-{turn}"}},
            "created_at": at,
            "decided_at": at,
        }


def _finish(session: Session, number: int) -> None:
    row = session.get(Round, number)
    assert row is not None  # noqa: S101 -- it was opened above
    rows: tuple[StandingsRow, ...] = ranking_of(session, row).rows()
    session.add_all(
        Standing(round_number=number, **each.model_dump()) for each in rows
    )
    row.status = "weighed"
    row.finalised_at_block = row.closes_at_block
    ended = row.opened_at + HOUR
    row.finalised_at = ended
    row.log_hash = eventlog.seal(session, ended)
    session.add(
        WeightsReportRow(
            validator_hotkey=hotkey(0),
            round_number=number,
            outcome="set",
            report={
                "round_number": number,
                "outcome": "set",
                "block": row.closes_at_block,
                "netuid": 24,
                "weights": {"0": 1.0},
            },
            reported_at=ended,
        )
    )
    session.flush()
    session.expunge_all()
