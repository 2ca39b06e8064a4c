"""What routes ask for: the doors of the process, and who is calling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from quasar_core.chain.signatures import Caller
from quasar_core.messaging.bus import Bus

from services.api.db.session import Database
from services.api.miners.registry import Registry
from services.api.miners.service import identify
from services.api.settings import Settings

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

    def close(self) -> None:
        """Give back every connection."""
        self.database.close()
        self.bus.close()


def the_doors(request: Request) -> Doors:
    """The doors that the app was made with."""
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
    """Who signed this request; Problem 401 where nobody did."""
    return identify(
        request.headers,
        await request.body(),
        request.method,
        target_of(request),
        doors.settings.receiver_hotkey,
    )


async def the_reader(
    request: Request, doors: Annotated[Doors, Depends(the_doors)]
) -> Caller | None:
    """Who signed a request that anyone may make; None for anyone."""
    if not any(name.startswith("x-bittensor-") for name in request.headers):
        return None
    return await the_caller(request, doors)


TheDoors = Annotated[Doors, Depends(the_doors)]
TheCaller = Annotated[Caller, Depends(the_caller)]
TheReader = Annotated[Caller | None, Depends(the_reader)]

RoundNumber = Annotated[int, Path(ge=1, le=LARGEST_ROUND)]
RoundFilter = Annotated[int | None, Query(ge=1, le=LARGEST_ROUND)]
PageSize = Annotated[int, Query(ge=1, le=200)]
HotkeyFilter = Annotated[
    str | None,
    Query(pattern=r"^[1-9A-HJ-NP-Za-km-z]{46,50}$", description="ss58"),
]
