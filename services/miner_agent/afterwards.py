"""What a miner does after submitting: go on, take back, look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import SubmissionView
from quasar_core.domain.submissions import Status
from quasar_core.options import ApiUrl, AsJson, Chosen, neuron, with_settings

from services.miner_agent import seals, taking_part, watch
from services.miner_agent.explain import explained, explained_acceptance
from services.miner_agent.options import RepoPath, SubmissionId, settings_of
from services.miner_agent.output import (
    ACCEPTED,
    REJECTED,
    USAGE_FAULT,
    answer,
    answering,
    tools_for,
)
from services.miner_agent.repository import open_fork
from services.miner_agent.settings import MinerSettings


@with_settings(MinerSettings, neuron)
def resume(
    *,
    repo_path: RepoPath = Path(),
    settings: Chosen[MinerSettings],
    as_json: AsJson = False,
) -> None:
    """Go on with every sealed submission of this fork that was begun.

    Waits for each one's block, then pushes and reveals it. Run it after a
    crash, or from a timer: what is done already is not done again.
    """
    with answering(as_json):
        chosen = settings()
        fork = open_fork(repo_path)
        with taking_part.signed_client(chosen) as (client, hotkey):
            tools = tools_for(client, fork, quiet=as_json)
            done = seals.resume(tools, client.current_round(), hotkey)
    value = [accepted.model_dump(mode="json") for accepted, _ in done]
    lines = [
        line
        for accepted, page in done
        for line in explained_acceptance(accepted, page.commit_hash)
    ]
    nothing = ["nothing is left to reveal"]
    answer(value, lines or nothing, as_json=as_json)


@with_settings(MinerSettings)
def withdraw(
    submission_id: SubmissionId,
    *,
    settings: Chosen[MinerSettings],
    as_json: AsJson = False,
) -> None:
    """Take back a submission that still waits; what is running runs on.

    It costs no quota, unless it was sealed or on its way to a worker.
    """
    with answering(as_json):
        chosen = settings()
        with taking_part.signed_client(chosen) as (client, _):
            accepted = client.withdraw(submission_id)
    quota = accepted.quota
    left = quota.judged_this_round_limit - quota.judged_this_round
    lines = [
        f"withdrawn:  {accepted.submission_id}",
        f"quota:      {left} more judgings in this round",
    ]
    answer(accepted.model_dump(mode="json"), lines, as_json=as_json)


def status(
    submission_id: SubmissionId,
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


def _exit_code(view: SubmissionView) -> int:
    return {
        Status.SCORED: ACCEPTED,
        Status.REJECTED: REJECTED,
        Status.INVALIDATED: REJECTED,
    }.get(Status(view.status), USAGE_FAULT)
