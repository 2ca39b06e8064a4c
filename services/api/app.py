"""create_app: the HTTP face of the platform, joined from its features."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from quasar_core.chain.open import open_chain
from quasar_core.messaging.bus import Bus
from quasar_core.messaging.limits import RateLimits

from services.api import health, openapi, problems
from services.api.admin import routes as admin
from services.api.canaries import routes as canaries
from services.api.clients import Proxies
from services.api.commitments import routes as commitments
from services.api.db.session import Database
from services.api.dependencies import Doors, denied_by_default
from services.api.edge import Edge
from services.api.leaderboard import routes as leaderboard
from services.api.leaderboard.service import Kept
from services.api.miners.bans import BannedNetworks
from services.api.miners.registry import Registry
from services.api.rounds import routes as rounds
from services.api.settings import Settings
from services.api.submissions import routes as submissions
from services.api.submissions.streams import Streams
from services.api.turnstile import Turnstile
from services.api.weights import routes as weights

FEATURES = (
    submissions,
    commitments,
    leaderboard,
    rounds,
    weights,
    canaries,
    admin,
    health,
)

DESCRIPTION = """\
Race QuasarAttention kernels: submit a commit of your fork, watch it being
judged, see where it stands. No number that a miner sends is believed.

Errors are `application/problem+json` (RFC 9457) with a stable `code`.
Requests that write are signed (`btauth`).
"""


def make_doors(settings: Settings) -> Doors:
    """The doors that a process's settings name; nothing is opened yet."""
    return Doors(
        settings=settings,
        database=Database(settings.database_url),
        bus=Bus(settings.redis_url),
        registry=Registry(
            partial(
                open_chain,
                settings.chain_url,
                settings.netuid,
                block_seconds=settings.block_seconds,
            ),
            refresh_seconds=settings.metagraph_refresh_seconds,
            stale_seconds=settings.metagraph_stale_seconds,
        ),
        limits=RateLimits(settings.redis_url, settings.limits),
    )


def create_app(
    settings: Settings | None = None, doors: Doors | None = None
) -> FastAPI:
    """The API over its settings (the environment's, where none are given).

    `doors` stands in for what the settings name; whoever hands them in
    closes them.
    """
    if doors is None:
        # fields come from the environment
        settings = settings or Settings()  # pyright: ignore[reportCallIssue]
    joined = doors or make_doors(settings)  # type: ignore[arg-type]

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if joined.limits is not None:
            await joined.limits.close()
        if doors is None:
            joined.close()

    app = FastAPI(
        title="QUASAR",
        description=DESCRIPTION,
        version=version("quasar-subnet"),
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.doors = joined
    app.state.banned_networks = BannedNetworks(joined.database, joined.clock)
    app.state.boards = Kept()
    app.state.bodies = Kept()
    app.state.tallies = Kept(1)
    app.state.streams = Streams(
        joined.settings.max_event_streams,
        joined.settings.max_event_streams_per_client,
    )
    problems.install(app)
    app.add_middleware(
        Edge,
        turnstile=Turnstile(
            joined.limits,
            Proxies(joined.settings.trusted_proxies),
            app.state.banned_networks,
        ),
    )
    for feature in FEATURES:
        app.include_router(
            feature.router, dependencies=[Depends(denied_by_default)]
        )
    app.openapi = partial(_document, app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.complete(
            get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                separate_input_output_schemas=False,
            )
        )
    return app.openapi_schema
