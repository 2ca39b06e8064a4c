"""Routes of administration: every one signed by an administrator."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Literal
from uuid import UUID

from anyio import from_thread
from fastapi import APIRouter, Query, Request
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.contracts.http import (
    Accepted,
    AdminLog,
    BanKind,
    BanOrder,
    Bans,
    BanView,
    ConfigView,
    LiftOrder,
    Order,
    RoundOrdered,
    SubmissionOrdered,
)

from services.api.admin import history, service
from services.api.admin.service import Administrator
from services.api.db.models import Round
from services.api.dependencies import (
    Doors,
    PageSize,
    RoundNumber,
    TheCaller,
    TheDoors,
)
from services.api.miners import bans
from services.api.miners.service import use_nonce
from services.api.openapi import Role, problems, signed_by
from services.api.problems import unavailable
from services.api.rounds import service as rounds

router = APIRouter(prefix="/admin", tags=["administration"])

ORDERED = problems(401, 409, 413)
ADMIN = signed_by(Role.ADMIN)

SubmissionOrder = Literal["requeue", "invalidate", "quarantine", "release"]


@router.post("/rounds/open", responses=ORDERED, openapi_extra=ADMIN)
def open_round(
    caller: TheCaller, order: Order, doors: TheDoors
) -> RoundOrdered:
    """Let the next round open now, and so the open one end.

    Answers with the round that ends; the scheduler turns both at its next
    look at the chain.
    """
    height = _height(doors)
    by = Administrator(caller, order.reason, doors.clock())
    with doors.database.write() as session:
        use_nonce(session, caller, by.now)
        return _ordered(
            rounds.open_early(
                session,
                reason=by.reason,
                by=by.actor,
                height=height,
                now=by.now,
            )
        )


@router.post(
    "/rounds/{round_number}/close",
    responses=problems(401, 404, 409, 413),
    openapi_extra=ADMIN,
)
def close_round(
    round_number: RoundNumber,
    caller: TheCaller,
    order: Order,
    doors: TheDoors,
) -> RoundOrdered:
    """Let the open round end now; the next one opens with it."""
    height = _height(doors)
    by = Administrator(caller, order.reason, doors.clock())
    with doors.database.write() as session:
        use_nonce(session, caller, by.now)
        return _ordered(
            rounds.close_early(
                session,
                round_number,
                reason=by.reason,
                by=by.actor,
                height=height,
                now=by.now,
            )
        )


@router.post(
    "/submissions/{submission_id}/{order_name}",
    responses=problems(401, 404, 409, 413),
    openapi_extra=ADMIN,
)
def order_submission(
    submission_id: UUID,
    order_name: SubmissionOrder,
    caller: TheCaller,
    order: Order,
    doors: TheDoors,
) -> SubmissionOrdered:
    """Move a submission, as far as the table of moves allows.

    `requeue`: rejected or infra_failed, to be judged anew in the open
    round, whatever attempts it has had. `quarantine` and `release`: out of
    the ranking and back. `invalidate`: out of it for good. A round that is
    final keeps its standings all the same.
    """
    by = Administrator(caller, order.reason, doors.clock())
    with doors.database.write() as session:
        use_nonce(session, caller, by.now)
        return service.move_submission(session, submission_id, order_name, by)


@router.post("/bans", responses=ORDERED, openapi_extra=ADMIN)
def ban(
    caller: TheCaller, order: BanOrder, doors: TheDoors, request: Request
) -> BanView:
    """Ban a hotkey from writing, or an address from asking at all.

    What a hotkey has submitted stays as it is. Other web processes hear of
    a banned address within seconds.
    """
    by = Administrator(caller, order.reason, doors.clock())
    with doors.database.write() as session:
        use_nonce(session, caller, by.now)
        view = service.ban(session, order, by, doors.settings)
    request.app.state.banned_networks.forget()
    return view


@router.post(
    "/bans/lift",
    responses=problems(401, 404, 409, 413),
    openapi_extra=ADMIN,
)
def lift(
    caller: TheCaller, order: LiftOrder, doors: TheDoors, request: Request
) -> Accepted:
    """Lift a ban; of an address also the one that its failures brought."""
    by = Administrator(caller, order.reason, doors.clock())
    with doors.database.write() as session:
        use_nonce(session, caller, by.now)
        subject = service.lift(session, order, by)
        if order.kind is BanKind.ADDRESS and doors.limits is not None:
            client = subject.removesuffix("/32")
            if not from_thread.run(doors.limits.pardon, client):
                raise unavailable(
                    "the bans that failures bring cannot be lifted just now;"
                    " nothing was changed"
                )
    request.app.state.banned_networks.forget()
    return Accepted()


@router.get("/bans", responses=problems(401), openapi_extra=ADMIN)
def list_bans(doors: TheDoors) -> Bans:
    """The bans that administrators made and that hold."""
    with doors.database.read() as session:
        return Bans(
            bans=tuple(
                BanView(
                    kind=BanKind(row.kind),
                    subject=row.subject,
                    reason=row.reason,
                    banned_by=row.banned_by,
                    banned_at=row.banned_at,
                    until=row.until,
                )
                for row in bans.standing(session, doors.clock())
            )
        )


@router.get("/log", responses=problems(401), openapi_extra=ADMIN)
def read_log(
    doors: TheDoors,
    cursor: Annotated[
        int | None,
        Query(
            ge=1,
            le=history.LARGEST_SEQUENCE,
            description="`next_cursor` of a page",
        ),
    ] = None,
    limit: PageSize = 50,
) -> AdminLog:
    """What administrators ordered, when and why; newest first."""
    with doors.database.read() as session:
        return history.orders(session, before=cursor, limit=limit)


@router.get("/config", responses=problems(401), openapi_extra=ADMIN)
def show_config(doors: TheDoors) -> ConfigView:
    """What this deployment runs with; no password is in it."""
    return ConfigView(
        version=version("quasar-subnet"),
        settings=service.shown(doors.settings),
    )


def _height(doors: Doors) -> int:
    try:
        return doors.registry.height()
    except ChainUnavailable as fault:
        raise unavailable("the chain's height is not known now") from fault


def _ordered(row: Round) -> RoundOrdered:
    return RoundOrdered(
        round_number=row.number,
        status=row.status,
        closes_at_block=row.closes_at_block,
    )
