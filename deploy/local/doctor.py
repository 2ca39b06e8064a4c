"""`quasar doctor`: what taking part needs, looked at from one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from quasar_core.doctor.api import check_api
from quasar_core.doctor.broker import check_broker
from quasar_core.doctor.findings import Check, Finding, look
from quasar_core.doctor.machine import check_disk
from quasar_core.doctor.neuron import (
    check_miner,
    check_validator,
    check_wallet,
)
from quasar_core.errors import QuasarError
from quasar_core.options import Chosen
from quasar_core.settings import WalletSettings

from deploy.local.parts import Part
from services.api.admin.settings import AdminSettings
from services.api.settings import DatabaseSettings
from services.benchmark_worker.doctor import MACHINE, WORKER
from services.benchmark_worker.settings import Settings as WorkerSettings
from services.miner_agent.settings import MinerSettings
from services.weight_setter.settings import WeightSetterSettings


@dataclass(frozen=True)
class Examination:
    """What is looked at for a part: on the machine, and beyond it."""

    settings: type[WalletSettings]
    here: tuple[Check[WorkerSettings], ...]
    beyond: tuple[Check[Any], ...]
    deed: str


def check_database(settings: DatabaseSettings) -> Iterator[Finding]:
    """The API's database, where an address of one is configured."""
    if "database_url" not in settings.model_fields_set:
        return
    try:
        _ask_database(settings.database_url)
    except QuasarError as fault:
        yield Finding(
            "database",
            ok=False,
            detail=str(fault),
            fix="start it, migrate it (`quasar api migrate`), or set"
            " QUASAR_DATABASE_URL to where it is",
        )
    else:
        yield Finding("database", ok=True, detail="answers, migrated")


def _ask_database(url: str) -> None:
    """Raise what is wrong with it; makes no file where there is none."""
    from services.api.db import migrate
    from services.api.db.session import Database, DatabaseUnavailable

    with closing(Database(url)) as database:
        file = database.engine.url.database or ""
        if database.is_sqlite and not Path(file).exists():
            raise DatabaseUnavailable(f"there is no file {file}")
        database.ping()
        migrate.check(database)


EXAMINATIONS: Mapping[Part, Examination] = MappingProxyType(
    {
        Part.MINER: Examination(
            MinerSettings, MACHINE, (check_api, check_miner), "mine"
        ),
        Part.VALIDATOR: Examination(
            WeightSetterSettings,
            WORKER,
            (check_api, check_validator),
            "validate",
        ),
        Part.OWNER: Examination(
            AdminSettings,
            (check_disk, check_broker),
            (check_api, check_wallet),
            "administer",
        ),
    }
)


def examine(part: Part, given: Mapping[str, Any]) -> tuple[Finding, ...]:
    """All that this part needs, with what was given on the command line."""
    wanted = EXAMINATIONS[part]
    return (
        *look(Chosen(WorkerSettings, {}), wanted.here),
        *look(Chosen(DatabaseSettings, {}), (check_database,)),
        *look(Chosen(wanted.settings, given), wanted.beyond),
    )
