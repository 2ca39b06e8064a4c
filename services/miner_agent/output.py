"""How commands answer: text or JSON, warnings aside, faults in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from quasar_core.chain.keys import KeyFault
from quasar_core.chain.open import ChainUrlFault
from quasar_core.client.answers import ProblemAnswer
from quasar_core.client.api import QuasarClient
from quasar_core.client.chat import ModelRefused
from quasar_core.client.github import GitHubRefused
from quasar_core.errors import QuasarError, SubmissionFault
from quasar_core.execution.git import RepositoryError
from quasar_core.execution.own_git import private_folder
from quasar_core.options import OptionFault
from quasar_core.worker.locks import LockTaken

from services.miner_agent.agent.limits import LimitFault
from services.miner_agent.explain import printable
from services.miner_agent.journal import Journal, JournalFault
from services.miner_agent.repository import Fork, RepositoryFault
from services.miner_agent.reproducing import NothingToReproduce
from services.miner_agent.sealing import SealEnded, Tools
from services.miner_agent.taking_part import NotSent
from services.miner_agent.validation import NothingToValidate

ACCEPTED, REJECTED, USAGE_FAULT = 0, 1, 2
JOURNAL_FOLDER = "quasar-sealed"
USAGE_FAULTS = (
    ChainUrlFault,
    GitHubRefused,
    JournalFault,
    KeyFault,
    LimitFault,
    LockTaken,
    ModelRefused,
    NotSent,
    NothingToReproduce,
    NothingToValidate,
    OptionFault,
    RepositoryError,
    RepositoryFault,
)
"""What the caller mends by asking otherwise; all else is the world's."""


@contextmanager
def answering(as_json: bool) -> Iterator[None]:
    """Whatever is raised on purpose ends as a sentence and exit code 2."""
    try:
        yield
    except ProblemAnswer as fault:
        _give_up(fault.detail, fault.code.value, as_json)
    except SubmissionFault as fault:
        _give_up(fault.detail or fault.sentence, fault.code.value, as_json)
    except SealEnded as fault:
        _give_up(str(fault), fault.code.value, as_json)
    except USAGE_FAULTS as fault:
        _give_up(str(fault), "invalid_request", as_json)
    except QuasarError as fault:
        _give_up(str(fault), "unavailable", as_json)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        _give_up(f"{where}: {first['msg']}", "invalid_request", as_json)


def answer(value: Any, lines: Sequence[str], *, as_json: bool) -> None:
    """One JSON value on one line, or these lines."""
    if as_json:
        typer.echo(json.dumps(value))
        return
    for line in lines:
        typer.echo(line)


def warn(warnings: Sequence[str]) -> None:
    """Tell warnings on standard error, so that output stays output."""
    for warning in warnings:
        typer.echo(f"warning: {printable(warning)}", err=True)


def tools_for(client: QuasarClient, fork: Fork, *, quiet: bool) -> Tools:
    """What sealing works with; progress goes to standard error."""

    def tell(line: str) -> None:
        if not quiet:
            typer.echo(printable(line), err=True)

    folder = private_folder(fork.path, JOURNAL_FOLDER)
    return Tools(client, Journal(folder), fork.path, tell)


def _give_up(message: str, code: str, as_json: bool) -> None:
    message = printable(message)
    if as_json:
        error = {"code": code, "message": message}
        typer.echo(json.dumps({"error": error}))
    else:
        typer.echo(f"error: {message}", err=True)
    raise typer.Exit(USAGE_FAULT)
