"""Routes of boards: leaderboard, standings and statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from quasar_core.contracts.http import (
    ChallengePage,
    Explanation,
    Leaderboard,
    Standings,
    SubmissionStats,
)
from quasar_core.domain.leagues import MULTIPLIERS
from sqlalchemy.orm import Session

from services.api.challenges import repository as challenges
from services.api.challenges import views
from services.api.db import eventlog
from services.api.db.models import Round
from services.api.dependencies import (
    HotkeyInPath,
    PageSize,
    RoundFilter,
    RoundNumber,
    TheDoors,
)
from services.api.etags import UNCHANGED, IfNoneMatch, fresh
from services.api.leaderboard import service
from services.api.leaderboard.statistics import statistics, tally
from services.api.openapi import problems
from services.api.problems import invalid, not_found, unavailable
from services.api.rounds import repository as rounds

router = APIRouter(tags=["boards"])

LEAGUE_NAMES = tuple(name for name, _ in MULTIPLIERS)
KEPT_ROWS = 1_000

Limit = Annotated[int, Query(ge=1, le=KEPT_ROWS)]


def round_or_current(session: Session, number: int | None) -> Round:
    """The round of a number, or the open one; Problem where there is none."""
    if number is not None:
        row = rounds.by_number(session, number)
        if row is None:
            raise not_found("round")
        return row
    row = rounds.open_round(session)
    if row is None:
        raise unavailable("no round is open yet")
    return row


def board(
    session: Session, request: Request, row: Round, league: str | None
) -> Leaderboard:
    """A board of a round, made once for each change of its scores."""
    return request.app.state.boards.get(
        service.version(row, f"board-{league}"),
        lambda: service.leaderboard(session, row, league, KEPT_ROWS),
    )


def standings_now(session: Session, request: Request, row: Round) -> Standings:
    """A round's standings, made once for each change of its scores."""
    return request.app.state.boards.get(
        service.version(row, "standings"),
        lambda: service.standings(session, row),
    )


def told(
    request: Request, key: str, held: str | None, make: Callable[[], BaseModel]
) -> Response:
    """What has this version, as JSON that is made once; or that it is held."""
    headers = {"ETag": f'"{key}"', "Cache-Control": "no-cache"}
    if fresh(headers["ETag"], held):
        return Response(status_code=304, headers=headers)
    body = request.app.state.bodies.get(
        key, lambda: make().model_dump_json().encode()
    )
    return Response(body, headers=headers, media_type="application/json")


@router.get(
    "/leaderboard",
    response_model=Leaderboard,
    responses={**UNCHANGED, **problems(404)},
)
def get_leaderboard(
    doors: TheDoors,
    request: Request,
    round_number: Annotated[RoundFilter, Query(alias="round")] = None,
    league: Annotated[
        str | None, Query(description="100k ... 900k, 1M; overall without")
    ] = None,
    cursor: Annotated[
        int,
        Query(ge=0, le=KEPT_ROWS, description="`next_cursor` of a page"),
    ] = 0,
    limit: Limit = 100,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The overall board (weighted), or one league's (plain tokens/s)."""
    if league is not None and league not in LEAGUE_NAMES:
        raise invalid(f"league: one of {', '.join(LEAGUE_NAMES)}")
    with doors.database.read() as session:
        row = round_or_current(session, round_number)
        what = f"board-{league}-{cursor}-{limit}"
        return told(
            request,
            service.version(row, what),
            if_none_match,
            lambda: page(board(session, request, row, league), cursor, limit),
        )


def page(whole: Leaderboard, cursor: int, limit: int) -> Leaderboard:
    """The rows below the place `cursor`, at most so many."""
    rows = whole.rows[cursor : cursor + limit]
    more = cursor + limit < len(whole.rows)
    following = str(rows[-1].place) if more else None
    return whole.model_copy(update={"rows": rows, "next_cursor": following})


@router.get(
    "/rounds/{round_number}/standings",
    response_model=Standings,
    responses={**UNCHANGED, **problems(404)},
)
def get_standings(
    round_number: RoundNumber,
    doors: TheDoors,
    request: Request,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A round's standings: frozen once it is final, else as of now."""
    with doors.database.read() as session:
        row = round_or_current(session, round_number)
        return told(
            request,
            service.version(row, "standings"),
            if_none_match,
            lambda: standings_now(session, request, row),
        )


@router.get(
    "/rounds/{round_number}/challenges",
    response_model=ChallengePage,
    responses={**UNCHANGED, **problems(404)},
)
def get_challenges(
    round_number: RoundNumber,
    doors: TheDoors,
    response: Response,
    cursor: Annotated[
        UUID | None, Query(description="`next_cursor` of the last page")
    ] = None,
    limit: PageSize = 50,
    if_none_match: IfNoneMatch = None,
) -> ChallengePage | Response:
    """The passages into paid places that are run once more, newest first.

    Who challenged whom, the bounds of their ratio, and what came of it.
    """
    with doors.database.read() as session:
        row = round_or_current(session, round_number)
        what = f"challenges-{cursor}-{limit}"
        tag = f'"{service.version(row, what)}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if fresh(tag, if_none_match):
            return Response(status_code=304, headers=headers)
        found = challenges.duels(
            session, round_number, before=cursor, limit=limit + 1
        )
        shown = views.page(row, found, limit)
    response.headers.update(headers)
    return shown


@router.get(
    "/rounds/{round_number}/explain/{hotkey}",
    responses=problems(404),
)
def explain_miner(
    round_number: RoundNumber,
    hotkey: HotkeyInPath,
    doors: TheDoors,
    request: Request,
) -> Explanation:
    """Why a miner stands where he stands, and what he is paid.

    Who is above and by how much, whose level it is, how the share comes
    about, what was not counted and why, and in which challenges he stood
    against whom; of a running round as if it ended now.
    """
    with doors.database.read() as session:
        row = round_or_current(session, round_number)
        standings = standings_now(session, request, row)
        found = service.explanation(session, row, standings, hotkey)
    if found is None:
        raise not_found("miner of this round")
    return found


@router.get("/get_submission_stats", responses=problems())
def get_submission_stats(
    doors: TheDoors,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> SubmissionStats:
    """Counts by status, queue, workers, the newest and the best."""
    with doors.database.read() as session:
        row = rounds.open_round(session)
        top = board(session, request, row, None).rows[:limit] if row else ()
        counted = request.app.state.tallies.get(
            eventlog.version(session), lambda: tally(session)
        )
        return statistics(session, doors.clock(), limit, counted, top)
