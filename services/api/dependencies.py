"""What routes ask for: the doors of the process, and who is calling.

Everything that writes is denied by default: `denied_by_default` stands
before every route and lets in whom the route's own declaration names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator
from quasar_core.chain.chain import Neuron
from quasar_core.chain.keys import KeyFault, canonical_hotkey
from quasar_core.chain.signatures import Caller
from quasar_core.errors import Problem, ProblemCode
from quasar_core.messaging.bus import Bus
from quasar_core.messaging.limits import RateLimits

from services.api.db.session import Database
from services.api.miners.registry import Registry
from services.api.miners.service import identify
from services.api.openapi import Role, role_of
from services.api.settings import Settings
from services.api.turnstile import note

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_ROUND = 2**31 - 1


def utc_now() -> datetime:
    """The clock of a real process."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Doors:
    """What a process of the API is joined from."""

    settings: Settings
    database: Database
    bus: Bus
    registry: Registry
    clock: Callable[[], datetime] = field(default=utc_now)
    limits: RateLimits | None = None

    def close(self) -> None:
        """Give back every connection."""
        self.database.close()
        self.bus.close()


async def the_doors(request: Request) -> Doors:
    """The doors that the app was made with; asked for in no other thread."""
    return request.app.state.doors


def target_of(request: Request) -> str:
    """The path and query exactly as they were sent."""
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string", b"")
    target = raw_path.split(b"?")[0] + (b"?" + query if query else b"")
    return target.decode("latin-1")


async def the_caller(
    request: Request, doors: Annotated[Doors, Depends(the_doors)]
) -> Caller:
    """Who signed this request; Problem 401 where nobody did.

    Failures are counted against the address that they came from, and what
    writes against the hotkey. A request that comes too late is no failure
    but a clock's, or our own delay's; the limit on requests bounds them.
    """
    state = request.scope["state"]
    if "caller" in state:
        return state["caller"]
    try:
        caller = identify(
            request.headers,
            await request.body(),
            request.method,
            target_of(request),
            doors.settings.receivers(doors.clock()),
        )
    except Problem as fault:
        stale = fault.code is ProblemCode.SIGNATURE_STALE
        if doors.limits is not None and not stale:
            await doors.limits.failed(state["client"])
        raise
    if doors.limits is not None and request.method not in SAFE:
        note(
            state,
            await doors.limits.write(caller.hotkey),
            "this hotkey may write",
        )
    state["caller"] = caller
    return caller


async def the_reader(
    request: Request, doors: Annotated[Doors, Depends(the_doors)]
) -> Caller | None:
    """Who signed a request that anyone may make; None for anyone."""
    if not any(name.startswith("x-bittensor-") for name in request.headers):
        return None
    return await the_caller(request, doors)


async def denied_by_default(
    request: Request, doors: Annotated[Doors, Depends(the_doors)]
) -> None:
    """Let in whom the route declares; Problem 401 or 403 for others.

    What neither writes nor declares anything is everybody's.
    """
    role = role_of(getattr(request.scope["route"], "openapi_extra", None))
    if role is None and request.method in SAFE:
        return
    caller = await the_caller(request, doors)
    if role is None:
        raise not_permitted("nobody may do this")
    if role is Role.ADMIN:
        check_admin(doors.settings, caller.hotkey)
    if role in {Role.MINER, Role.VALIDATOR}:
        registry, hotkey = doors.registry, caller.hotkey
        neuron = registry.at_hand(hotkey) or await run_in_threadpool(
            registry.registered, hotkey
        )
        if role is Role.VALIDATOR:
            check_validator(neuron)


def check_admin(settings: Settings, hotkey: str) -> None:
    """Problem 403 for a hotkey that does not administer."""
    if hotkey not in settings.admin_hotkeys:
        raise not_permitted("only an administrator's hotkey may do this")


def check_validator(neuron: Neuron) -> None:
    """Problem 403 for a neuron that may not set weights."""
    if not neuron.validator_permit:
        raise not_permitted("only a validator with a permit may do this")


def not_permitted(detail: str) -> Problem:
    """A 403 for somebody that we know."""
    return Problem(403, ProblemCode.NOT_PERMITTED, detail)


def canonical_filter(hotkey: str) -> str:
    """The hotkey in the spelling that rows have."""
    try:
        return canonical_hotkey(hotkey)
    except KeyFault as fault:
        raise ValueError("not an ss58 address") from fault


TheDoors = Annotated[Doors, Depends(the_doors)]
TheCaller = Annotated[Caller, Depends(the_caller)]
TheReader = Annotated[Caller | None, Depends(the_reader)]

RoundNumber = Annotated[int, Path(ge=1, le=LARGEST_ROUND)]
RoundFilter = Annotated[int | None, Query(ge=1, le=LARGEST_ROUND)]
PageSize = Annotated[int, Query(ge=1, le=200)]
HotkeyFilter = Annotated[
    str | None,
    Query(pattern=r"^[1-9A-HJ-NP-Za-km-z]{46,50}$", description="ss58"),
    AfterValidator(lambda hotkey: hotkey and canonical_filter(hotkey)),
]
HotkeyInPath = Annotated[
    str,
    Path(pattern=r"^[1-9A-HJ-NP-Za-km-z]{46,50}$", description="ss58"),
    AfterValidator(canonical_filter),
]
