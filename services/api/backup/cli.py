"""`quasar admin backup` and `restore`: the database as a file, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from quasar_core.errors import QuasarError

if TYPE_CHECKING:
    from services.api.db.session import Database

BackupFile = Annotated[Path, typer.Argument(help="The backup's file.")]


def backup(path: BackupFile) -> None:
    """Write the database of QUASAR_DATABASE_URL to a new file.

    While the platform runs; nobody waits. PostgreSQL's `pg_dump` must be
    here, as new as the server. Redis needs no backup.
    """
    from services.api.db import backup as backups

    with _database() as database:
        backups.backup(database, path)
    typer.echo(f"written: {path} ({path.stat().st_size} bytes)")


def restore(path: BackupFile) -> None:
    """Fill the empty database of QUASAR_DATABASE_URL from a backup.

    Then run `quasar api migrate`, where the code is newer than the backup,
    and `quasar admin rebuild --check`.
    """
    from services.api.db import backup as backups
    from services.api.db import migrate

    with _database() as database:
        backups.restore(database, path)
        revision = migrate.current(database)
    typer.echo(f"restored: the database is at revision {revision}")


@contextmanager
def _database() -> Iterator[Database]:
    from services.api.db.session import Database
    from services.api.settings import DatabaseSettings
    from services.api.starting import read_settings

    try:
        database = Database(read_settings(DatabaseSettings).database_url)
        try:
            yield database
        finally:
            database.close()
    except QuasarError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(2) from fault
