"""Starting: what the three processes do first, alike."""

from __future__ import annotations

import sys
from typing import TypeVar

from pydantic import ValidationError
from quasar_core.errors import QuasarError
from quasar_core.settings import CoreSettings
from quasar_core.telemetry.disks import Place, watch_disks
from quasar_core.telemetry.logs import configure_logging, get_logger
from quasar_core.telemetry.metrics import serve_metrics

from services.api.app import make_doors
from services.api.db import migrate
from services.api.db.session import DatabaseUnavailable
from services.api.dependencies import Doors
from services.api.settings import Settings

BAD_SETTINGS = 2
NOT_READY = 3


T = TypeVar("T", bound=CoreSettings)


def read_settings(kind: type[T]) -> T:
    """The settings of the environment; exits with what is wrong in them."""
    try:
        return kind()
    except ValidationError as fault:
        for error in fault.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in error["loc"]).upper()
            name = name if name.startswith("QUASAR_") else f"QUASAR_{name}"
            sys.stderr.write(f"{name}: {error['msg']}\n")
        sys.exit(BAD_SETTINGS)


def start(service: str, settings: Settings | None = None) -> Doors:
    """Logs, metrics and doors of a process.

    Exits, saying what to do, where the database has not been migrated. A
    database that is away is waited for: it is the processes' normal work to
    do without it.
    """
    settings = settings or read_settings(Settings)
    configure_logging(service, settings.log_level, json=settings.log_json)
    log = get_logger(service)
    try:
        doors = make_doors(settings)
        check_database(doors)
    except QuasarError as fault:
        log.critical("start.refused", reason=str(fault))
        sys.exit(NOT_READY)
    if doors.database.file is not None:
        watch_disks({Place.DATABASE: doors.database.file})
    serve_metrics(settings.metrics_port, settings.metrics_host)
    return doors


def check_database(doors: Doors) -> None:
    """Raise NotMigrated for tables that are not this code's."""
    try:
        doors.database.ping()
    except DatabaseUnavailable as fault:
        get_logger("api.start").warning("database.away", fault=str(fault))
        return
    migrate.check(doors.database)
