"""Migrations as functions: upgrade, downgrade, and where a database is."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from quasar_core.errors import QuasarError
from sqlalchemy import text

from services.api.db.session import LOG_LOCK, Database

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


class NotMigrated(QuasarError):
    """The database's tables are not those of this code."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database forward to `revision`; all or nothing."""
    _run(database, command.upgrade, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the database back to `revision` (`base`: empty)."""
    _run(database, command.downgrade, revision)


def draft(database: Database, message: str) -> None:
    """Write a migration from the difference between models and database."""
    with database.engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True)


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def check(database: Database) -> None:
    """Raise NotMigrated, saying what to do, unless both are the same."""
    found, wanted = current(database), head()
    if found != wanted:
        raise NotMigrated(
            f"the database is at revision {found or 'none'} and this code"
            f" needs {wanted}: run `quasar api migrate`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _run(database: Database, deed, revision: str) -> None:  # noqa: ANN001
    config = _config()
    engine = database.engine.execution_options(quasar_write=True)
    with engine.begin() as connection:
        if not database.is_sqlite:
            # two processes that migrate at once take turns
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOG_LOCK}
            )
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        config.attributes["connection"] = connection
        deed(config, revision)
