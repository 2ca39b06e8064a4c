"""Backup: the whole database as one file, and a database from such a file.

SQLite is copied by its own online backup, PostgreSQL by `pg_dump`: both see
one moment, and neither keeps writers waiting.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from quasar_core.errors import QuasarError
from sqlalchemy import URL, inspect

from services.api.db.session import Database

SQLITE_MAGIC = b"SQLite format 3\0"
POSTGRESQL_MAGIC = b"PGDMP"
OURS_ALONE = 0o600
"""A backup holds sources that are not public yet."""


class BackupFault(QuasarError):
    """No backup was made, or none was restored; the text says why."""


def backup(database: Database, path: Path) -> None:
    """Write the database as it is at this moment to the new file `path`.

    The file appears once it is whole and has been read back. Raises
    BackupFault where it cannot be written.
    """
    if path.exists():
        raise BackupFault(f"{path} exists; a backup replaces nothing")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=OURS_ALONE)
        if database.is_sqlite:
            _copy(_file_of(database), part)
        else:
            _run(database, "pg_dump", "--format=custom", f"--file={part}")
            _run(database, "pg_restore", "--list", str(part), reads=False)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(path)
    except (OSError, sqlite3.Error) as fault:
        raise BackupFault(f"no backup in {path}: {fault}") from fault
    finally:
        part.unlink(missing_ok=True)


def restore(database: Database, path: Path) -> None:
    """Fill an empty database from a backup of the same engine.

    Raises BackupFault for a database that holds anything, and for a file
    that is no backup of its engine; then nothing was changed.
    """
    _check_kind(database, path)
    if inspect(database.engine).get_table_names():
        raise BackupFault(
            "the database is not empty: a backup is restored into a new one"
        )
    if database.is_sqlite:
        database.close()
        try:
            _copy(path, _file_of(database))
        except sqlite3.Error as fault:
            raise BackupFault(f"{path} is damaged: {fault}") from fault
    else:
        _run(
            database,
            *("pg_restore", "--exit-on-error", "--single-transaction"),
            *("--no-owner", "--no-privileges", str(path)),
        )


def _check_kind(database: Database, path: Path) -> None:
    magic = SQLITE_MAGIC if database.is_sqlite else POSTGRESQL_MAGIC
    try:
        with path.open("rb") as written:
            found = written.read(len(magic))
    except OSError as fault:
        raise BackupFault(f"{path}: {fault.strerror}") from fault
    if found != magic:
        engine = "SQLite" if database.is_sqlite else "PostgreSQL"
        raise BackupFault(f"{path} is no backup of a {engine} database")


def _file_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        (said,) = new.execute("PRAGMA integrity_check").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)


def _run(
    database: Database, program: str, *arguments: str, reads: bool = True
) -> None:
    """Run one of PostgreSQL's own programs; its password is in no list."""
    found = shutil.which(program)
    if found is None:
        raise BackupFault(
            f"{program} is not installed: install PostgreSQL's client, as new"
            " as the server or newer"
        )
    address = database.engine.url
    shown = URL.create(
        "postgresql",
        username=address.username,
        host=address.host,
        port=address.port,
        database=address.database,
        query=address.query,
    ).render_as_string()
    words = (f"--dbname={shown}",) if reads else ()
    done = subprocess.run(  # noqa: S603 -- a path that `which` found
        [found, *words, *arguments],
        env={**os.environ, "PGPASSWORD": address.password or ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupFault(f"{program}: {done.stderr.strip()}")
