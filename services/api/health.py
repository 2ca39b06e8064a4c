"""Health: whether the process lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from quasar_core.contracts.http import Health
from quasar_core.errors import TransientError

from services.api.db import migrate
from services.api.dependencies import Doors, TheDoors
from services.api.problems import not_found

router = APIRouter(tags=["operator"])


@router.get("/health/live")
def live() -> Health:
    """The process answers; nothing else is asked."""
    return Health(status="ok")


@router.get(
    "/health/ready",
    responses={503: {"model": Health, "description": "Not ready"}},
)
def ready(doors: TheDoors, response: Response) -> Health:
    """Whether database and broker answer, and the tables are there.

    Without the broker, submissions are still accepted; they wait.
    """
    checks = {"database": _database(doors), "broker": _broker(doors)}
    healthy = set(checks.values()) == {"ok"}
    response.status_code = 200 if healthy else 503
    return Health(status="ok" if healthy else "unavailable", checks=checks)


def _database(doors: Doors) -> str:
    try:
        doors.database.ping()
        migrate.check(doors.database)
    except TransientError:
        return "unavailable"
    except migrate.NotMigrated:
        return "not migrated"
    return "ok"


def _broker(doors: Doors) -> str:
    try:
        doors.bus.ping()
    except TransientError:
        return "unavailable"
    return "ok"


@router.get("/metrics", include_in_schema=False)
def metrics(doors: TheDoors) -> Response:
    """The web process's own metrics, on a laptop; else on their own port."""
    if doors.settings.environment == "production":
        raise not_found("path")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
