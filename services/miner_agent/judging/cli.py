"""`quasar validate` and `quasar miner reproduce`: the judge, on one's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from quasar_core.client.api import QuasarClient
from quasar_core.domain.leagues import DEFAULT_LEAGUE_UNIT
from quasar_core.judge.progress import Progress
from quasar_core.options import ApiUrl, AsJson

from services.miner_agent import reproducing
from services.miner_agent.lengths import at_length, in_all_leagues
from services.miner_agent.options import RepoPath, settings_of
from services.miner_agent.output import ACCEPTED, REJECTED, answer, answering
from services.miner_agent.validation import (
    NothingToValidate,
    validate_repository,
)


def reproduce_command(
    submission_id: Annotated[
        UUID, typer.Argument(help="One that was rejected for its numbers.")
    ],
    *,
    repo_path: Annotated[
        Path | None,
        typer.Option(
            help="Your fork's folder, to try its files as they are now;"
            " without it the archived files, once the round is final."
        ),
    ] = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Draw the input again on which it failed, and show the failing row.

    From the run's published seed: the very input, to the last bit. Runs the
    kernel on it in a sandbox and shows the row beside the truth's. The exit
    code is 0 where it is right now, 1 where it is still wrong.
    """
    with answering(as_json):
        settings = settings_of(api_url=api_url)
        with QuasarClient(settings.api_url) as client:
            report = reproducing.reproduced(
                client,
                submission_id,
                repo_path=repo_path,
                settings=settings.judging,
            )
    value, lines = reproducing.as_dict(report), reproducing.as_lines(report)
    answer(value, lines, as_json=as_json)
    raise typer.Exit(ACCEPTED if value["right"] else REJECTED)


def validate(
    *,
    seq_len: Annotated[
        int | None,
        typer.Option(
            "--seq-len",
            help="How many tokens it is judged at; with --full the longest."
            " Out of memory, the largest length that fits is looked for.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Every league's length, ascending.",
        ),
    ] = False,
    league_unit: Annotated[
        int,
        typer.Option(min=1, help="Tokens of a league's step, with --full."),
    ] = DEFAULT_LEAGUE_UNIT,
    record: Annotated[
        Path | None,
        typer.Option(
            help="Write the run to this file: `quasar worker replay` takes it."
        ),
    ] = None,
    repo_path: RepoPath = Path(),
    working_tree: Annotated[
        bool,
        typer.Option(
            "--working-tree",
            help="Judge the files as they are now, not those committed.",
        ),
    ] = False,
    logits: Annotated[
        bool,
        typer.Option(help="Also check the reference model's logits."),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Judge your own fork exactly as the workers will: same code, same codes.

    Any length will do here, the smaller the quicker. Runs your kernel in a
    sandbox. The exit code is 0 for accepted, 1 for rejected, 2 where it
    could not be judged.
    """
    with answering(as_json):
        judge = partial(
            validate_repository,
            repo_path,
            settings=settings_of().judging,
            working_tree=working_tree,
            with_logits=logits,
            on_progress=_quiet if as_json else _tell_stage,
        )
        if full:
            longest = seq_len or 10 * league_unit
            found = in_all_leagues(judge, longest, league_unit)
            last = found.tried[-1][1]
        elif seq_len is None:
            raise NothingToValidate("say --seq-len N, or --full")
        else:
            room = partial(judge, with_logits=False)
            found = at_length(judge, seq_len, room)
            last = found.validation
        if record is not None and last.record is not None:
            record.write_text(last.record.model_dump_json(), "utf-8")
    answer(found.as_dict(), found.as_lines(), as_json=as_json)
    raise typer.Exit(ACCEPTED if found.accepted else REJECTED)


def _tell_stage(progress: Progress) -> None:
    if progress.seconds is None:
        typer.echo(f"{progress.stage.value} ...", err=True)
    else:
        typer.echo(
            f"{progress.stage.value} passed ({progress.seconds:.2f} s)",
            err=True,
        )


def _quiet(progress: Progress) -> None:
    """Tell nothing: the answer is one JSON object."""
