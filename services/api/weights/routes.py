"""Routes of weights: what validators set, and their reports of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from quasar_core.contracts.http import (
    Accepted,
    WeightsHistory,
    WeightsReport,
)
from quasar_core.telemetry.metrics import WEIGHT_SETTINGS

from services.api.dependencies import (
    HotkeyFilter,
    PageSize,
    TheCaller,
    TheDoors,
)
from services.api.openapi import Role, problems, signed_by
from services.api.weights import service

router = APIRouter(prefix="/weights", tags=["weights"])

LARGEST_ID = 2**63 - 1


@router.get("", responses=problems())
def get_weights(
    doors: TheDoors,
    validator: HotkeyFilter = None,
    cursor: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_ID, description="`next_cursor` of a page"),
    ] = None,
    limit: PageSize = 50,
) -> WeightsHistory:
    """What was set, when and at which block, or why not; newest first."""
    with doors.database.read() as session:
        return service.history(session, validator, limit, cursor)


@router.post(
    "/reports",
    status_code=202,
    responses=problems(401, 403, 409, 413),
    openapi_extra=signed_by(Role.VALIDATOR),
)
def report_weights(
    caller: TheCaller, report: WeightsReport, doors: TheDoors
) -> Accepted:
    """Report what this validator set, or why it did not."""
    service.check_report(report, doors.settings.netuid)
    now = doors.clock()
    with doors.database.write(owner=caller.hotkey) as session:
        service.record(session, caller, report, now)
    WEIGHT_SETTINGS.labels(report.outcome).inc()
    return Accepted()
