"""`quasar miner ...`: init, submit, and what comes after it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from quasar_core.options import AsJson, Chosen, neuron, with_settings

from services.miner_agent import afterwards, seals, taking_part
from services.miner_agent.agent.cli import journal_command, run_command
from services.miner_agent.explain import explained_acceptance
from services.miner_agent.judging.cli import reproduce_command
from services.miner_agent.options import Remote, RepoPath, SeqLen
from services.miner_agent.output import (
    answer,
    answering,
    tools_for,
    warn,
)
from services.miner_agent.repository import open_fork
from services.miner_agent.settings import MinerSettings
from services.miner_agent.standing import explain_command

miner = typer.Typer(
    name="miner",
    help=(
        "Take part in the competition: `init` makes a wallet and a fork,"
        " `submit` hands in a commit, `status` tells what became of it,"
        " `reproduce` draws the input again on which it failed. `run` is an"
        " agent that does all of it by itself, `journal` its diary."
    ),
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@miner.command("init")
@with_settings(MinerSettings, neuron)
def init_command(
    *,
    repo_path: RepoPath = Path("quasar-fork"),
    settings: Chosen[MinerSettings],
    as_json: AsJson = False,
) -> None:
    """Make a wallet and a fork, and register on a local chain.

    The fork is a git repository of one commit that holds the tree in which
    kernels are judged, and our baseline in fla/ops/quasar/: change that.
    A wallet or a fork that is there already is kept, so this can be run
    again. Keys are made without a password: meant for local use.
    """
    with answering(as_json):
        joined = taking_part.join(settings(), repo_path)
    warn(joined.warnings)
    value = {
        "hotkey": joined.hotkey,
        "coldkey": joined.coldkey,
        "repo_path": str(joined.repo_path),
        "commit_hash": joined.commit_hash,
        "uid": joined.uid,
        "warnings": joined.warnings,
    }
    registered = "not yet" if joined.uid is None else f"as uid {joined.uid}"
    lines = [
        f"hotkey:     {joined.hotkey}",
        f"registered: {registered}",
        f"fork:       {joined.repo_path} at {joined.commit_hash[:12]}",
        "next:       change fla/ops/quasar/*.py in it, then",
        f"            quasar validate --repo-path {repo_path} --seq-len 4096",
    ]
    answer(value, lines, as_json=as_json)


@miner.command("submit")
@with_settings(MinerSettings, neuron)
def submit_command(
    *,
    seq_len: SeqLen,
    repo_path: RepoPath = Path(),
    fork_url: Annotated[
        str | None,
        typer.Option(
            help=(
                "Where the judge reads your fork; on a local chain it is"
                " the repository's own file:// address."
            )
        ),
    ] = None,
    tokens_per_sec: Annotated[
        float | None,
        typer.Option(
            min=0, help="What you claim; shown beside what is measured."
        ),
    ] = None,
    sealed: Annotated[
        bool,
        typer.Option(
            "--sealed",
            help="Commit to it by a hash now, push and reveal it later.",
        ),
    ] = False,
    remote: Remote = "origin",
    message: Annotated[
        str, typer.Option(help="Of the commit that --sealed makes.")
    ] = "Change the kernels",
    settings: Chosen[MinerSettings],
    as_json: AsJson = False,
) -> None:
    """Hand in the commit that is checked out, to be judged at this length.

    Push it first where the judge reads it over the network. The same
    commit at the same length is one submission, however often it is sent.

    With --sealed nobody can copy it before it has its place: what changed
    in fla/ops/quasar is committed in git here, its hash is posted, and some
    blocks later (see `blocks_until_reveal` of the round) it is pushed to
    --remote, in a branch of its own, and revealed. That takes a while; kill
    it whenever you like: the same command, or `quasar miner resume`, goes
    on from there. Until it is revealed, keep the repository: the secret
    lies in its .git folder.
    """
    with answering(as_json):
        chosen = settings()
        fork = open_fork(repo_path)
        remote_name = None if fork_url is None else remote
        url = fork_url or taking_part.fork_url_of(chosen, fork)
        with taking_part.signed_client(chosen) as (client, hotkey):
            if sealed:
                accepted, page = seals.submit_sealed(
                    tools_for(client, fork, quiet=as_json),
                    client.current_round(),
                    seals.Wish(
                        hotkey=hotkey,
                        fork_url=url,
                        remote=remote_name,
                        target_sequence_length=seq_len,
                        message=message,
                        claimed_tokens_per_sec=tokens_per_sec,
                    ),
                )
                commit_hash = page.commit_hash
            else:
                warn(fork.warnings)
                accepted = taking_part.submit(
                    client, fork, url, seq_len, tokens_per_sec
                )
                commit_hash = fork.commit_hash
    value = accepted.model_dump(mode="json")
    value |= {"commit_hash": commit_hash, "warnings": fork.warnings}
    lines = explained_acceptance(accepted, commit_hash)
    answer(value, lines, as_json=as_json)


for later in (afterwards.resume, afterwards.withdraw, afterwards.status):
    miner.command(later.__name__)(later)
miner.command("explain")(explain_command)
miner.command("reproduce")(reproduce_command)
miner.command("run")(run_command)
miner.command("journal")(journal_command)
