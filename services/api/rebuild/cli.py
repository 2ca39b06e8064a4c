"""`quasar admin rebuild`: the boards from the log, and what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from quasar_core.errors import QuasarError

MOST_FINDINGS = 200
DIFFERENT, NOT_READ = 1, 2


def rebuild(
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Compare with the tables; name what differs."
        ),
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(
            help="A block's hash that was written down: is it still there?"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder to write what was rebuilt into."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.")
    ] = False,
) -> None:
    """Rebuild boards, standings and weights from the event log alone.

    Reads QUASAR_DATABASE_URL and changes nothing there. With --check the
    exit code is 1 where anything is not as the log says; each such row is
    named.
    """
    from services.api.db import migrate
    from services.api.db.session import Database
    from services.api.rebuild import service
    from services.api.settings import DatabaseSettings
    from services.api.starting import read_settings

    try:
        database = Database(read_settings(DatabaseSettings).database_url)
        migrate.check(database)
        rebuilt = service.rebuild(
            database, check=check or expect is not None, expected=expect
        )
        database.close()
    except QuasarError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(NOT_READ) from fault
    if out is not None:
        service.write(rebuilt.pages, out)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "pages": sorted(rebuilt.pages),
                    "newest_hash": rebuilt.newest_hash,
                    "last_sealed_row": rebuilt.rows,
                    "unsealed_rows": rebuilt.unsealed,
                    "findings": [str(found) for found in rebuilt.findings],
                }
            )
        )
    else:
        _tell(rebuilt)
    if rebuilt.findings:
        raise typer.Exit(DIFFERENT)


def _tell(rebuilt) -> None:  # noqa: ANN001 -- its module loads the database
    typer.echo(
        f"rebuilt {len(rebuilt.pages)} pages from the log, sealed to row"
        f" {rebuilt.rows} as {rebuilt.newest_hash}"
        f" ({rebuilt.unsealed} rows wait for their block)"
    )
    for found in rebuilt.findings[:MOST_FINDINGS]:
        typer.echo(str(found))
    hidden = len(rebuilt.findings) - MOST_FINDINGS
    if hidden > 0:
        typer.echo(f"... and {hidden} more; --json has them all")
