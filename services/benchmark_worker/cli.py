"""`quasar worker`: run the benchmark worker, or ask whether it could run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

app = typer.Typer(
    name="worker",
    help="The benchmark worker: takes submissions, judges them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

worker = app


@app.command()
def run() -> None:
    """Take jobs until Ctrl-C or SIGTERM.

    Settings come from QUASAR_* variables: QUASAR_REDIS_URL, QUASAR_POOL,
    QUASAR_WORKER_NAME, QUASAR_STATE_DIRECTORY. `quasar worker doctor` says
    whether this machine is fit.
    """
    from services.benchmark_worker.app import main

    main()


@app.command()
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object, for machines.")
    ] = False,
) -> None:
    """Look at everything a worker needs; exit code 1 where one is missing.

    Runs a probe inside the sandbox and asks Redis; changes nothing but the
    worker's own folders, which it makes.
    """
    from services.benchmark_worker.doctor import examine
    from services.benchmark_worker.settings import Settings

    findings = examine(Settings())
    fit = all(each.ok or not each.needed for each in findings)
    if as_json:
        checks = [asdict(each) for each in findings]
        typer.echo(json.dumps({"fit": fit, "checks": checks}))
    else:
        for each in findings:
            mark = "ok  " if each.ok else "FAIL" if each.needed else "note"
            typer.echo(f"{mark}  {each.name:<14} {each.detail}")
            if each.fix:
                typer.echo(f"      {'':<14} -> {each.fix}")
        typer.echo(
            "This machine can judge."
            if fit
            else "This machine cannot judge yet: see the arrows."
        )
    raise typer.Exit(0 if fit else 1)
