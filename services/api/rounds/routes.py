"""Routes of rounds: the current one, any one, all of them."""

from __future__ import annotations

from fastapi import APIRouter
from quasar_core.contracts.http import RoundView

from services.api.dependencies import (
    PageSize,
    RoundFilter,
    RoundNumber,
    TheDoors,
)
from services.api.openapi import problems
from services.api.problems import not_found, unavailable
from services.api.rounds import repository, service

router = APIRouter(prefix="/rounds", tags=["rounds"])


@router.get("", responses=problems())
def list_rounds(
    doors: TheDoors, before: RoundFilter = None, limit: PageSize = 20
) -> list[RoundView]:
    """Rounds, newest first; `before` a number, for the next page."""
    height = doors.registry.last_height()
    with doors.database.read() as session:
        return [
            service.view(session, row, doors.settings, height)
            for row in repository.page(session, before, limit)
        ]


@router.get("/current", responses=problems())
def current_round(doors: TheDoors) -> RoundView:
    """The open round, with everything needed to reproduce a verdict."""
    height = doors.registry.last_height()
    with doors.database.read() as session:
        row = repository.open_round(session)
        if row is None:
            raise unavailable("no round is open yet")
        return service.view(session, row, doors.settings, height)


@router.get("/{round_number}", responses=problems(404))
def get_round(round_number: RoundNumber, doors: TheDoors) -> RoundView:
    """A round by its number."""
    height = doors.registry.last_height()
    with doors.database.read() as session:
        row = repository.by_number(session, round_number)
        if row is None:
            raise not_found("round")
        return service.view(session, row, doors.settings, height)
