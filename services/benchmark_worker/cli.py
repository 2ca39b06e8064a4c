"""`quasar worker`: run it, look at it, run one of its runs again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

ApiUrl = Annotated[
    str, typer.Option(envvar=["QUASAR_API_URL", "VALIDATOR_API_URL"])
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object, for machines.")
]

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
    as_json: AsJson = False,
) -> None:
    """Look at everything a worker needs; exit code 1 where one is missing.

    Runs a probe inside the sandbox and asks Redis; changes nothing but the
    worker's own folders, which it makes.
    """
    from quasar_core.doctor.findings import look, report
    from quasar_core.options import Chosen

    from services.benchmark_worker.doctor import WORKER
    from services.benchmark_worker.settings import Settings

    findings = look(Chosen(Settings, {}), WORKER)
    raise typer.Exit(report(findings, "judge", as_json=as_json))


@app.command()
def canaries(
    *,
    api_url: ApiUrl = "http://127.0.0.1:8000",
    days: Annotated[
        int, typer.Option(min=1, max=90, help="How far back it counts.")
    ] = 7,
    as_json: AsJson = False,
) -> None:
    """Show what every worker made of known code: cheats caught, honest passed.

    The exit code is 1 where the last run of a canary was wrong, and 2 where
    the API does not tell.
    """
    from quasar_core.errors import QuasarError

    from services.benchmark_worker.board import as_lines, board_at

    try:
        board = board_at(api_url, days)
    except QuasarError as fault:
        typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(2) from fault
    if as_json:
        typer.echo(board.model_dump_json())
    else:
        for line in as_lines(board):
            typer.echo(line)
    runs = (run for worker in board.workers for run in worker.last_runs)
    raise typer.Exit(0 if all(run.right for run in runs) else 1)


@app.command()
def replay(
    run_id: Annotated[
        str,
        typer.Argument(
            help="A submission's id, or a file that `validate --record` made."
        ),
    ],
    *,
    api_url: ApiUrl = "http://127.0.0.1:8000",
    allow_degraded: Annotated[
        bool,
        typer.Option(
            "--allow-degraded",
            help="Without control groups: for one's own code only.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a run again from its manifest: same seed, files and settings.

    The files come from the API's archive (public once the round is final)
    or from the record. The exit code is 0 where the verdict is the same, 1
    where it is another, 2 where the run could not be run again. Times are
    compared and told; on another machine they differ.
    """
    from quasar_core.errors import QuasarError
    from quasar_core.judge.jobs import SandboxChoice

    from services.benchmark_worker import replaying
    from services.benchmark_worker.settings import Settings

    try:
        path = Path(run_id)
        if path.is_file():
            record = replaying.record_in(path)
        else:
            record = replaying.record_at(api_url, _submission(run_id))
        settings = Settings()
        replayed = replaying.replay(
            record,
            settings=settings.judge,
            sandbox=SandboxChoice(
                backend=settings.sandbox_backend,
                allow_degraded=allow_degraded or settings.allow_degraded,
            ),
            on_progress=lambda _: None,
        )
    except QuasarError as fault:
        typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(2) from fault
    if as_json:
        typer.echo(replayed.model_dump_json())
    else:
        for line in replaying.as_lines(replayed):
            typer.echo(line)
    raise typer.Exit(0 if replayed.same_verdict else 1)


def _submission(run_id: str) -> UUID:
    try:
        return UUID(run_id)
    except ValueError as fault:
        raise typer.BadParameter(
            f"{run_id!r} is neither a submission's id nor a file"
        ) from fault
