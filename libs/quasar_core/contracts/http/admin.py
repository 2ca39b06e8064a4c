"""Administration: what an operator orders, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from quasar_core.contracts.values import Contract, Hotkey, Moment

Reason = Annotated[
    str,
    Field(
        min_length=3,
        max_length=500,
        pattern=r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
        description="Why; it stands in the event log.",
    ),
]


class BanKind(StrEnum):
    """What a ban is about."""

    HOTKEY = "hotkey"
    ADDRESS = "address"


class Order(Contract):
    """POST /admin/...: an order that needs nothing but its reason."""

    reason: Reason


class RoundOrdered(Contract):
    """A round that ends early; the scheduler does the rest."""

    round_number: int
    status: str
    closes_at_block: int


class SubmissionOrdered(Contract):
    """How an administrator moved a submission."""

    submission_id: UUID
    from_status: str
    to_status: str
    round_number: int


class BanOrder(Contract):
    """POST /admin/bans: a hotkey may not write, an address not even ask."""

    kind: BanKind
    subject: Annotated[
        str,
        Field(
            max_length=64,
            description="A hotkey; or an IP address, or a network.",
        ),
    ]
    reason: Reason
    hours: Annotated[float, Field(gt=0, le=87_600)] | None = None
    """For how long; for good where it is not said."""


class LiftOrder(Contract):
    """POST /admin/bans/lift: what was banned may come back."""

    kind: BanKind
    subject: Annotated[str, Field(max_length=64)]
    reason: Reason


class BanView(Contract):
    """A ban as it stands."""

    kind: BanKind
    subject: str
    reason: str
    banned_by: Hotkey
    banned_at: Moment
    until: Moment | None


class Bans(Contract):
    """GET /admin/bans: the newest first."""

    bans: tuple[BanView, ...]


class ConfigView(Contract):
    """GET /admin/config: the settings that this process runs with."""

    version: str
    settings: dict[str, object]
    """By name. Addresses of databases and brokers show their host alone."""


class OrderRecord(Contract):
    """An order as the event log has it: who, when, what, and why.

    An order about a submission or a round says how that moved; a ban, whom
    it is about.
    """

    sequence: int
    """Its row of the event log."""
    ordered_at: Moment
    ordered_by: Hotkey
    order: str
    reason: str
    submission_id: UUID | None
    round_number: int | None
    from_status: str | None
    to_status: str | None
    kind: BanKind | None
    subject: str | None
    until: Moment | None


class AdminLog(Contract):
    """GET /admin/log: the newest first."""

    orders: tuple[OrderRecord, ...]
    next_cursor: str | None = None
    """Where the next page begins, if there is one."""
