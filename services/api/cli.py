"""`quasar api`: the API's processes and its database."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from quasar_core.errors import QuasarError

from services.api.admin import cli as orders
from services.api.backup.cli import backup, restore
from services.api.rebuild.cli import rebuild

api = typer.Typer(
    no_args_is_help=True,
    help="The API's three processes and its database.",
)
app = api
admin = typer.Typer(
    no_args_is_help=True,
    help="What an administrator does, and what he can prove.",
)
admin.command("rebuild")(rebuild)
admin.command("backup")(backup)
admin.command("restore")(restore)
orders.join(admin)


@api.command()
def web() -> None:
    """Serve HTTP until Ctrl-C (QUASAR_HOST, QUASAR_PORT)."""
    from services.api.web import main

    raise typer.Exit(main())


@api.command()
def recorder() -> None:
    """Write down what workers tell, until Ctrl-C."""
    from services.api.recorder import main

    raise typer.Exit(main())


@api.command()
def scheduler() -> None:
    """Dispatch jobs and move rounds, until Ctrl-C."""
    from services.api.scheduler import main

    raise typer.Exit(main())


@api.command()
def migrate(
    revision: Annotated[
        str, typer.Argument(help="Where to go; `base` empties it.")
    ] = "head",
    down: Annotated[
        bool, typer.Option("--down", help="Go back to the revision.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.")
    ] = False,
) -> None:
    """Bring the database of QUASAR_DATABASE_URL up to date."""
    from services.api.db import migrate as migrations
    from services.api.db.session import Database
    from services.api.settings import DatabaseSettings
    from services.api.starting import read_settings

    try:
        database = Database(read_settings(DatabaseSettings).database_url)
        before = migrations.current(database)
        deed = migrations.downgrade if down else migrations.upgrade
        deed(database, revision)
        after = migrations.current(database)
        database.close()
    except QuasarError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from fault
    if as_json:
        typer.echo(json.dumps({"from": before, "to": after}))
    else:
        typer.echo(f"database: {before or 'empty'} -> {after or 'empty'}")


@api.command()
def migration(
    message: Annotated[
        str, typer.Option("--message", "-m", help="What it changes.")
    ],
) -> None:
    """Draft a migration from the models' difference to the database."""
    from services.api.db import migrate as migrations
    from services.api.db.session import Database
    from services.api.settings import DatabaseSettings
    from services.api.starting import read_settings

    if not message.strip():
        raise typer.BadParameter('say what changes: --message "..."')
    migrations.draft(
        Database(read_settings(DatabaseSettings).database_url), message
    )
