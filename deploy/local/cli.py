"""Commands of the local stack: demo, up, and an operator's three in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from quasar_core.options import AsJson, Chosen, neuron, with_settings

from deploy.local.parts import Part
from deploy.local.session import (
    FAILED,
    RUN_FOLDER,
    interruptible,
    last_words,
    own_folder,
    passing_folder,
)
from services.weight_setter.settings import WeightSetterSettings

DEMO_TIMEOUT_SECONDS = 900.0
AUDIT_TOLERANCE = 0.25


def demo(
    json_output: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object as the last line of standard output;"
            " progress goes to standard error.",
        ),
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option(
            help="Where to put everything, and leave it: logs, database,"
            " forks. Otherwise a folder in .run/ that goes at the end."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1.0, help="Give up after this many seconds.")
    ] = DEMO_TIMEOUT_SECONDS,
) -> None:
    """Play a whole competition on this machine, watched live.

    Starts the platform (broker, database, API, workers, a chain), makes
    eight miners with real git forks, honest ones and cheats, has them
    judged, and ends with the leaderboard, the verdicts and the weights on
    chain. Ends with 0 only if every miner got what he deserves.
    """
    from deploy.local.demo import play
    from deploy.local.report import describe
    from deploy.local.screen import Screen
    from deploy.local.stack import Stack

    with (
        last_words(),
        interruptible(),
        passing_folder("demo", directory) as folder,
        Screen(machine=json_output) as screen,
    ):
        with Stack(folder, fresh=True) as stack:
            ending = play(stack, screen, timeout)
            screen.tell("stopping everything that was started")
        describe(ending, screen)
        if json_output:
            typer.echo(json.dumps(ending.as_json()))
        if ending.injustices:
            raise typer.Exit(FAILED)


def up(
    directory: Annotated[
        Path,
        typer.Option(help="Where everything lies; taken up again next time."),
    ] = RUN_FOLDER
    / "up",
    port: Annotated[
        int, typer.Option(help="Where the API listens; 0 for any free port.")
    ] = 8000,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew in that folder.")
    ] = False,
    league_unit: Annotated[
        int,
        typer.Option(min=64, help="Tokens of the smallest league's length."),
    ] = 512,
    round_blocks: Annotated[
        int, typer.Option(min=1, help="How many blocks a round is open.")
    ] = 900,
    block_seconds: Annotated[
        float, typer.Option(min=0.1, help="How long a block of the chain is.")
    ] = 1.0,
) -> None:
    """Run the platform on this machine until Ctrl-C.

    Prints where the API answers, and what to put into the environment so
    that `quasar miner` and `quasar validate` find it.
    """
    from deploy.local.operate import run_stack
    from deploy.local.rules import Rules

    rules = Rules(
        league_unit=league_unit,
        round_blocks=round_blocks,
        block_seconds=block_seconds,
    )
    with last_words(), interruptible(), own_folder(directory) as folder:
        run_stack(folder, rules, port, fresh=fresh)


@with_settings(WeightSetterSettings, neuron)
def doctor(
    *,
    settings: Chosen[WeightSetterSettings],
    part: Annotated[
        Part, typer.Option("--as", help="Which part this machine is to take.")
    ] = Part.VALIDATOR,
    as_json: AsJson = False,
) -> None:
    """Look at everything that taking part needs; 1 where something lacks.

    Sandbox, GPU, disk, broker, database where one is configured, API,
    clock, chain, wallet, registration and permit, as far as that part needs
    them. Each row that fails says what to do. A pool that judges on
    processors needs no GPU: that there is none is told, and is no failure.
    """
    from quasar_core.doctor.findings import report

    from deploy.local.doctor import EXAMINATIONS, examine

    findings = examine(part, settings.given)
    deed = EXAMINATIONS[part].deed
    raise typer.Exit(report(findings, deed, as_json=as_json))


validator = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="One operator in one command, and audits of what others judged.",
)


@validator.callback()
def _group() -> None:
    """One operator in one command, and audits of what others judged."""


@validator.command("run")
@with_settings(WeightSetterSettings, neuron)
def validator_run(
    *,
    settings: Chosen[WeightSetterSettings],
    mock: Annotated[
        bool,
        typer.Option(
            "--mock",
            help="Play on a local stand-in for the chain. Without --api-url"
            " the API, the broker and the database are started as well.",
        ),
    ] = False,
    redis_url: Annotated[
        str | None, typer.Option(help="The broker of that deployment.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="The pool to work for.")
    ] = None,
    directory: Annotated[
        Path, typer.Option(help="Where the logs go.")
    ] = RUN_FOLDER
    / "validator",
) -> None:
    """Run a benchmark worker, a verifier and a weight setter until Ctrl-C.

    Looks first whether the wallet is there, its hotkey registered with a
    validator permit, and the API on the same subnet. What is not given is
    read from the environment (QUASAR_API_URL, QUASAR_REDIS_URL,
    QUASAR_CHAIN_URL ...) or from .env. With --mock and nothing else,
    everything that a validator needs is started here, and nothing outside
    is touched.
    """
    from deploy.local.operate import run_stack
    from deploy.local.preflight import check_operator
    from deploy.local.rules import Rules
    from deploy.local.validator import (
        Deployment,
        join_local_chain,
        run_operator,
    )

    with last_words(), interruptible(), own_folder(directory) as folder:
        if mock and settings.given["api_url"] is None:
            run_stack(folder, Rules(), 0, fresh=False)
            return
        deployment = Deployment(
            redis_url=redis_url, pool=pool, **settings.given
        )
        if mock:
            deployment = join_local_chain(deployment)
            settings = settings.with_more(netuid=deployment.netuid)
        for line in check_operator(settings()):
            typer.echo(line)
        run_operator(deployment, folder)


@validator.command("audit")
def validator_audit(
    *,
    sample: Annotated[
        int, typer.Option(min=1, help="How many standings to judge again.")
    ] = 3,
    round_number: Annotated[
        int | None,
        typer.Option("--round", help="The round; else the newest final one."),
    ] = None,
    api_url: Annotated[
        str | None, typer.Option(help="The API of the competition.")
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.01, help="How far apart two speed-ups may be: 0.25 is 25 %."
        ),
    ] = AUDIT_TOLERANCE,
    seed: Annotated[
        int | None,
        typer.Option(help="Draws the same sample again; else a new one."),
    ] = None,
    logits: Annotated[
        bool,
        typer.Option("--logits/--no-logits", help="Check the logits as well."),
    ] = True,
    any_harness: Annotated[
        bool,
        typer.Option(
            "--any-harness",
            help="Audit also a round that another release has judged.",
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object on standard output."),
    ] = False,
) -> None:
    """Judge a random sample of a final round's standings again.

    Takes the archived sources from the API, judges them on this machine
    with the workers' own judge and sandbox, and compares verdict and
    speed-up over the trusted kernel. Needs no wallet. Exit code 0: all
    agree; 1: one disagrees; 2: nothing, or not everything, could be
    audited. The judge reads its settings as the workers do (QUASAR_JUDGE).
    """
    from deploy.local.auditing import audit_command

    raise typer.Exit(
        audit_command(
            api_url=api_url,
            round_number=round_number,
            size=sample,
            seed=seed,
            tolerance=tolerance,
            logits=logits,
            any_harness=any_harness,
            as_json=as_json,
        )
    )
