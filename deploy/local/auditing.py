"""`quasar validator audit`, joined: the API, the judge, and how it is told."""

from __future__ import annotations

import json
import secrets
from functools import partial

import typer
from quasar_core.client.api import QuasarClient
from quasar_core.errors import QuasarError
from quasar_core.settings import ParticipantSettings
from quasar_core.worker.referee import sandbox_choice

from deploy.local.audit import (
    DISAGREES,
    NOT_AUDITED,
    Audit,
    audit_round,
    final_round,
)
from deploy.local.rejudge import Rejudge, check_harness
from services.benchmark_worker.settings import Settings as BenchmarkSettings
from services.verifier_worker.settings import Settings as VerifierSettings

ALL_AGREE, ONE_DISAGREES, NOT_ALL_AUDITED = 0, 1, 2
SEEDS = 2**32


def audit_command(
    *,
    api_url: str | None,
    round_number: int | None,
    size: int,
    seed: int | None,
    tolerance: float,
    logits: bool,
    any_harness: bool,
    as_json: bool,
) -> int:
    """Audit, tell, and give the exit code."""
    try:
        url = api_url or ParticipantSettings().api_url
        with QuasarClient(url) as client:
            number = final_round(client, round_number)
            if not any_harness:
                check_harness(client.round(number))
            audit = audit_round(
                client,
                local_judge(logits=logits),
                round_number=number,
                size=size,
                seed=secrets.randbelow(SEEDS) if seed is None else seed,
                tolerance=tolerance,
                tell=partial(typer.echo, err=True),
            )
    except QuasarError as fault:
        if as_json:
            typer.echo(json.dumps({"error": {"message": str(fault)}}))
        else:
            typer.echo(f"error: {fault}", err=True)
        return NOT_ALL_AUDITED
    typer.echo(
        json.dumps(audit.as_dict()) if as_json else "\n".join(audit.as_lines())
    )
    return exit_code(audit)


def local_judge(*, logits: bool) -> Rejudge:
    """The judge as this machine's workers would have it."""
    settings = BenchmarkSettings()
    return Rejudge(
        judging=settings.judge,
        verifying=VerifierSettings().judging if logits else None,
        sandbox=sandbox_choice(settings),
    )


def exit_code(audit: Audit) -> int:
    """What a program that runs the audit decides by."""
    if audit.count(DISAGREES):
        return ONE_DISAGREES
    return NOT_ALL_AUDITED if audit.count(NOT_AUDITED) else ALL_AGREE
