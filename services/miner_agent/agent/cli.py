"""`quasar miner run` and `quasar miner journal`: the agent, and its diary."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from quasar_core.options import AsJson, Chosen, with_settings

from services.miner_agent.agent.options import agent
from services.miner_agent.agent.saying import saying
from services.miner_agent.agent.settings import AgentSettings
from services.miner_agent.options import Remote, RepoPath
from services.miner_agent.output import answer, answering

DEFAULT_FOLDER = Path("quasar-fork")


class Proposing(StrEnum):
    """Where changes come from."""

    SEARCH = "search"
    MODEL = "model"


@with_settings(AgentSettings, agent)
def run_command(
    *,
    repo_path: RepoPath = DEFAULT_FOLDER,
    seq_len: Annotated[
        int | None,
        typer.Option(
            "--seq-len",
            help="The length to race at; else the smallest league's.",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="Where there is no fork yet: clone this one, from any git"
            " remote."
        ),
    ] = None,
    github: Annotated[
        str | None,
        typer.Option(
            help="Where there is no fork yet: fork OWNER/NAME on GitHub with"
            " the token of GITHUB_TOKEN, and clone that."
        ),
    ] = None,
    fork_url: Annotated[
        str | None,
        typer.Option(
            help="Where the judge reads the fork; else the remote's own"
            " https address, or on a local chain the folder."
        ),
    ] = None,
    remote: Remote = "origin",
    proposer: Annotated[
        Proposing,
        typer.Option(
            help="`search` steps through the numbers that the kernel"
            " declares; `model` asks an OpenAI-compatible endpoint."
        ),
    ] = Proposing.SEARCH,
    seed: Annotated[
        int, typer.Option(help="Of the search's random points.")
    ] = 0,
    restarts: Annotated[
        int,
        typer.Option(
            min=0, help="Random points to try where no step is better."
        ),
    ] = 8,
    logits: Annotated[
        bool, typer.Option(help="Check the logits of what would be kept.")
    ] = True,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="Try one change, hand it in if kept, and end."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Propose and judge, but commit, submit and write down"
            " nothing; needs no wallet.",
        ),
    ] = False,
    settings: Chosen[AgentSettings],
    as_json: AsJson = False,
) -> None:
    """Let an agent improve your kernel and hand in what is better.

    Again and again: propose a change; screen, check and time it with the
    workers' own judge in its sandbox; keep it only if it is right and, raced
    against the best in one job, faster beyond doubt; else drop it. What is
    kept is committed in git, sealed, pushed when its block comes, revealed,
    and watched to its verdict; one at a time, the newest first.

    All of it is in a journal beside the repository (`quasar miner
    journal`). End it or kill it whenever you like: the same command goes on
    from there, and hands nothing in twice. It ends by itself when a limit
    is reached or nothing is left to try.

    An example: a night's work at 200 000 tokens, quiet from seven on

        quasar miner run --seq-len 200000 --quiet-hours 07:00-22:00

    With --json: an object for each event, a line each.
    """
    from services.miner_agent.agent.app import run
    from services.miner_agent.agent.wishes import Wish

    say = saying(typer.echo, as_json=as_json)
    with answering(as_json):
        run(
            settings(),
            Wish(
                repo_path=repo_path,
                sequence_length=seq_len,
                base=base,
                github=github,
                fork_url=fork_url,
                remote=remote,
                uses_model=proposer is Proposing.MODEL,
                seed=seed,
                restarts=restarts,
                with_logits=logits,
                once=once,
                dry_run=dry_run,
            ),
            say,
        )


def journal_command(
    *, repo_path: RepoPath = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Show what the agent tried in this fork, and what came of it.

    A line for each change, then why it was kept or not, and the platform's
    verdict; also while the agent is at work.
    """
    from services.miner_agent.agent.app import read_journal

    with answering(as_json):
        value, lines = read_journal(repo_path)
    answer(value, lines, as_json=as_json)
