"""Weights reports: who may send one, and what one must hold."""

from __future__ import annotations

import math
from datetime import datetime

from quasar_core.chain.signatures import Caller
from quasar_core.contracts.http import (
    WeightsHistory,
    WeightsRecord,
    WeightsReport,
)
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.db import eventlog
from services.api.miners.service import use_nonce
from services.api.problems import invalid
from services.api.rounds import repository as rounds
from services.api.rounds.repository import FROZEN
from services.api.weights import repository

SUM_TOLERANCE = 1e-6
LARGEST_NUMBER = 2**31 - 1


def check_report(report: WeightsReport, netuid: int) -> None:
    """Problem 422 for a report that no validator can mean."""
    if report.netuid != netuid:
        raise invalid(f"netuid: this deployment serves subnet {netuid}")
    shares = list(report.weights.values())
    if any(share < 0 for share in shares):
        raise invalid("weights: shares are not negative")
    if shares and not math.isclose(
        math.fsum(shares), 1.0, abs_tol=SUM_TOLERANCE
    ):
        raise invalid("weights: shares sum to 1, or there are none")
    if not set(report.hotkeys) <= set(report.weights):
        raise invalid("hotkeys: a uid without a weight")
    if report.outcome == repository.SET:
        if report.round_number is None or report.block is None or not shares:
            raise invalid("outcome: `set` needs round, block and weights")
    elif report.outcome != "dry_run" and not report.reason:
        raise invalid(f"reason: why were they {report.outcome}?")


def record(
    session: Session, caller: Caller, report: WeightsReport, now: datetime
) -> None:
    """Keep a report; the round that it names must be final."""
    use_nonce(session, caller, now)
    if report.round_number is not None:
        _check_round(session, report.round_number)
    report_id = repository.add(session, caller.hotkey, report, now)
    eventlog.append(
        session,
        kind="weights",
        actor=f"validator:{caller.hotkey}",
        now=now,
        round_number=report.round_number,
        evidence={
            "outcome": report.outcome,
            "reason": report.reason,
            "block": report.block,
            "weights": report.weights,
            "hotkeys": report.hotkeys,
            "netuid": report.netuid,
            "report_id": report_id,
        },
    )


def _check_round(session: Session, number: int) -> None:
    row = None
    if 1 <= number <= LARGEST_NUMBER:
        row = rounds.by_number(session, number)
    if row is None:
        raise invalid("round_number: there is no such round")
    if row.status not in FROZEN:
        raise Problem(
            409,
            ProblemCode.CONFLICT,
            f"round {number} is {row.status}: its standings are not final",
        )


def history(
    session: Session, hotkey: str | None, limit: int, before: int | None
) -> WeightsHistory:
    """What was reported, newest first, from below the number `before`."""
    rows = repository.listed(session, hotkey, limit + 1, before)
    more = len(rows) > limit
    return WeightsHistory(
        records=tuple(
            WeightsRecord(
                validator_hotkey=row.validator_hotkey,
                reported_at=row.reported_at,
                report=WeightsReport.model_validate(row.report),
            )
            for row in rows[:limit]
        ),
        next_cursor=str(rows[limit - 1].id) if more else None,
    )
