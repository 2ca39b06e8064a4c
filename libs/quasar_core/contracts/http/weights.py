"""Weights: what validators report, and the history of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quasar_core.contracts.values import (
    Contract,
    Hotkey,
    Moment,
)


class WeightsReport(Contract):
    """POST /weights/reports: what a validator set, or why it did not."""

    round_number: int | None
    outcome: Annotated[
        str, Field(pattern=r"^(set|skipped|refused|failed|dry_run)$")
    ]
    reason: Annotated[str, Field(max_length=500)] = ""
    block: int | None = None
    netuid: int
    weights: dict[Annotated[str, Field(pattern=r"^\d{1,5}$")], float] = {}
    """uid -> share; shares are non-negative and sum to 1, or none."""
    hotkeys: dict[Annotated[str, Field(pattern=r"^\d{1,5}$")], Hotkey] = {}
    """uid -> hotkey, as resolved at `block`."""


class WeightsRecord(Contract):
    """A weights report as the API keeps it."""

    validator_hotkey: Hotkey
    reported_at: Moment
    report: WeightsReport


class WeightsHistory(Contract):
    """GET /weights: the newest first."""

    records: tuple[WeightsRecord, ...]
    next_cursor: str | None = None
