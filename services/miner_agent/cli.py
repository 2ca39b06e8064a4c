"""`quasar miner ...`: init, submit, status, reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import SubmissionView
from quasar_core.domain.submissions import Status

from services.miner_agent import taking_part, watch
from services.miner_agent.explain import explained
from services.miner_agent.judging.cli import reproduce_command
from services.miner_agent.options import (
    ApiUrl,
    AsJson,
    ChainUrl,
    Netuid,
    RepoPath,
    SeqLen,
    WalletHotkey,
    WalletName,
    WalletPath,
    settings_of,
)
from services.miner_agent.output import (
    ACCEPTED,
    REJECTED,
    USAGE_FAULT,
    answer,
    answering,
    warn,
)
from services.miner_agent.repository import open_fork
from services.miner_agent.standing import explain_command

miner = typer.Typer(
    name="miner",
    help=(
        "Take part in the competition: `init` makes a wallet and a fork,"
        " `submit` hands in a commit, `status` tells what became of it,"
        " `reproduce` draws the input again on which it failed."
    ),
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@miner.command("init")
def init_command(
    *,
    repo_path: RepoPath = Path("quasar-fork"),
    chain_url: ChainUrl = None,
    netuid: Netuid = None,
    wallet_name: WalletName = None,
    wallet_hotkey: WalletHotkey = None,
    wallet_path: WalletPath = None,
    as_json: AsJson = False,
) -> None:
    """Make a wallet and a fork, and register on a local chain.

    The fork is a git repository of one commit that holds the tree in which
    kernels are judged, and our baseline in fla/ops/quasar/: change that.
    A wallet or a fork that is there already is kept, so this can be run
    again. Keys are made without a password: meant for local use.
    """
    with answering(as_json):
        joined = taking_part.join(
            settings_of(
                chain_url=chain_url,
                netuid=netuid,
                wallet_name=wallet_name,
                wallet_hotkey=wallet_hotkey,
                wallet_path=wallet_path,
            ),
            repo_path,
        )
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
    api_url: ApiUrl = None,
    chain_url: ChainUrl = None,
    wallet_name: WalletName = None,
    wallet_hotkey: WalletHotkey = None,
    wallet_path: WalletPath = None,
    as_json: AsJson = False,
) -> None:
    """Hand in the commit that is checked out, to be judged at this length.

    Push it first where the judge reads it over the network. The same
    commit at the same length is one submission, however often it is sent.
    """
    with answering(as_json):
        settings = settings_of(
            api_url=api_url,
            chain_url=chain_url,
            wallet_name=wallet_name,
            wallet_hotkey=wallet_hotkey,
            wallet_path=wallet_path,
        )
        fork = open_fork(repo_path)
        warn(fork.warnings)
        url = fork_url or taking_part.fork_url_of(settings, fork)
        with taking_part.signed_client(settings) as client:
            accepted = taking_part.submit(
                client, fork, url, seq_len, tokens_per_sec
            )
    quota = accepted.quota
    left = quota.judged_this_round_limit - quota.judged_this_round
    queue = "" if accepted.position is None else f", {accepted.position}. in"
    value = accepted.model_dump(mode="json")
    value["warnings"] = fork.warnings
    lines = [
        f"submission: {accepted.submission_id}",
        f"commit:     {fork.commit_hash}",
        f"league:     {accepted.league}, round {accepted.round_number}",
        f"status:     {accepted.status}{queue and queue + ' the queue'}",
        f"expected:   {_expected(accepted.eta_seconds)}",
        f"quota:      {left} more judgings in this round",
        f"watch it:   quasar miner status {accepted.submission_id} --watch",
    ]
    answer(value, lines, as_json=as_json)


@miner.command("status")
def status_command(
    submission_id: Annotated[
        UUID, typer.Argument(help="As `quasar miner submit` printed it.")
    ],
    *,
    follow: Annotated[
        bool, typer.Option("--watch", help="Stay until it is at rest.")
    ] = False,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Tell where a submission stands, and in the end its verdict.

    With --watch: live, move by move; then the exit code is 0 for a score,
    1 for a rejection and 2 for anything else. With --json and --watch: a
    line for each move, the submission itself last.
    """
    with answering(as_json):
        settings = settings_of(api_url=api_url)
        with QuasarClient(settings.api_url) as client:
            if follow:
                view = watch.watched(client, submission_id, as_json=as_json)
            else:
                view = client.submission(submission_id)
    answer(view.model_dump(mode="json"), explained(view), as_json=as_json)
    if follow:
        raise typer.Exit(_exit_code(view))


miner.command("explain")(explain_command)


def _exit_code(view: SubmissionView) -> int:
    return {
        Status.SCORED: ACCEPTED,
        Status.REJECTED: REJECTED,
        Status.INVALIDATED: REJECTED,
    }.get(Status(view.status), USAGE_FAULT)


def _expected(eta_seconds: float | None) -> str:
    if eta_seconds is None:
        return "unknown: no worker has been heard of yet"
    return f"in about {eta_seconds:.0f} s"


miner.command("reproduce")(reproduce_command)
