"""Routes of canaries: the board of what workers make of known code."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from quasar_core.contracts.http import CanaryBoard

from services.api.canaries import service
from services.api.canaries.repository import MOST_DAYS
from services.api.dependencies import PageSize, TheDoors
from services.api.etags import UNCHANGED, IfNoneMatch, fresh
from services.api.openapi import problems

router = APIRouter(prefix="/canaries", tags=["boards"])

CURSOR = r"^[a-z0-9][a-z0-9._-]{0,63}/(benchmark|verifier)$"


@router.get(
    "",
    response_model=CanaryBoard,
    responses={**UNCHANGED, **problems()},
)
def get_canaries(
    doors: TheDoors,
    response: Response,
    days: Annotated[
        int, Query(ge=1, le=MOST_DAYS, description="How far back it counts.")
    ] = 7,
    cursor: Annotated[
        str | None,
        Query(pattern=CURSOR, description="`next_cursor` of the last page"),
    ] = None,
    limit: PageSize = 50,
    if_none_match: IfNoneMatch = None,
) -> CanaryBoard | Response:
    """Cheats caught, honest passed: known code, judged by every worker.

    Each worker judges a kernel that is right and some that cheat, as it
    judges a stranger's; a wrong verdict sets it aside.
    """
    after = None if cursor is None else service.cursor_of(cursor)
    with doors.database.read() as session:
        shown = service.board(session, doors.clock(), days, after, limit)
    headers = {"ETag": service.tag_of(shown), "Cache-Control": "no-cache"}
    if fresh(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return shown
