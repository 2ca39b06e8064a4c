"""`quasar admin`: orders over signed HTTP, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NoReturn
from uuid import UUID

import typer
from pydantic import BaseModel, ValidationError
from quasar_core.chain.keys import KeyFault
from quasar_core.client.administration import AdminClient
from quasar_core.client.answers import ProblemAnswer
from quasar_core.contracts.http import BanKind
from quasar_core.errors import QuasarError
from quasar_core.options import AsJson, Chosen, OptionFault, with_settings

from services.api.admin.settings import AdminSettings

USAGE_FAULT = 2

Reason = Annotated[
    str,
    typer.Option(
        help="Why; for all to read in a submission's events, and for"
        " administrators in the log of orders."
    ),
]
Submission = Annotated[UUID, typer.Argument(help="Its id.")]
Kind = Annotated[BanKind, typer.Argument(help="What is banned.")]
Subject = Annotated[
    str, typer.Argument(help="A hotkey; or an IP address or network.")
]


Mine = Chosen[AdminSettings]
for_administrators = with_settings(AdminSettings)


@dataclass(frozen=True)
class Office:
    """Who administers which deployment, and how he is answered."""

    as_json: bool
    settings: Mine

    def tell(self, ask: Callable[[AdminClient], BaseModel]) -> None:
        """Ask, and print the answer: JSON, or a line for each field."""
        with self._answering(), self._client() as client:
            told = ask(client).model_dump(mode="json")
        if self.as_json:
            typer.echo(json.dumps(told))
            return
        for name, value in told.items():
            if isinstance(value, dict):
                for key, one in value.items():
                    typer.echo(f"{key} = {json.dumps(one)}")
            elif isinstance(value, list):
                for row in value:
                    typer.echo(json.dumps(row))
            else:
                typer.echo(f"{name}: {value}")

    @contextmanager
    def _client(self) -> Iterator[AdminClient]:
        from quasar_core.chain.signatures import RequestSigner
        from quasar_core.chain.wallets import open_wallet

        settings = self.settings()
        wallet = open_wallet(
            settings.wallet_name, settings.wallet_hotkey, settings.wallet_path
        )
        signer = RequestSigner(wallet.keypair, settings.receiver_hotkey)
        with AdminClient(settings.api_url, signer) as client:
            signer.learn(client.current_round().receiver_hotkey)
            yield client

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except ProblemAnswer as fault:
            self._give_up(fault.code.value, fault.detail, fault)
        except ValidationError as fault:
            first = fault.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            self._give_up("invalid_request", f"{where}: {first['msg']}", fault)
        except (KeyFault, OptionFault) as fault:
            self._give_up("invalid_request", str(fault), fault)
        except QuasarError as fault:
            self._give_up("unavailable", str(fault), fault)

    def _give_up(self, code: str, message: str, fault: Exception) -> NoReturn:
        if self.as_json:
            error = {"code": code, "message": message}
            typer.echo(json.dumps({"error": error}))
        else:
            typer.echo(f"error: {message}", err=True)
        raise typer.Exit(USAGE_FAULT) from fault


@for_administrators
def open_round(
    *,
    reason: Reason,
    settings: Mine,
    as_json: AsJson = False,
) -> None:
    """Open the next round now; the open one ends with it."""
    Office(as_json, settings).tell(lambda client: client.open_round(reason))


@for_administrators
def close_round(
    number: Annotated[int, typer.Argument(min=1, help="The open round.")],
    *,
    reason: Reason,
    settings: Mine,
    as_json: AsJson = False,
) -> None:
    """Close a round before its time; the next one opens with it."""
    Office(as_json, settings).tell(
        lambda client: client.close_round(number, reason)
    )


@for_administrators
def ban(
    kind: Kind,
    subject: Subject,
    *,
    reason: Reason,
    hours: Annotated[
        float | None, typer.Option(help="For how long; else for good.")
    ] = None,
    settings: Mine,
    as_json: AsJson = False,
) -> None:
    """Ban a hotkey from writing, or an address from asking at all."""
    Office(as_json, settings).tell(
        lambda client: client.ban(kind, subject, reason, hours)
    )


@for_administrators
def unban(
    kind: Kind,
    subject: Subject,
    *,
    reason: Reason,
    settings: Mine,
    as_json: AsJson = False,
) -> None:
    """Lift a ban, also one that failed signatures brought an address."""
    Office(as_json, settings).tell(
        lambda client: client.lift(kind, subject, reason)
    )


@for_administrators
def bans(
    *,
    settings: Mine,
    as_json: AsJson = False,
) -> None:
    """List the bans that hold."""
    Office(as_json, settings).tell(lambda client: client.bans())


@for_administrators
def log(
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=200, help="How many at most.")
    ] = 50,
    cursor: Annotated[
        str | None, typer.Option(help="`next_cursor` of the last page.")
    ] = None,
    settings: Mine,
    as_json: AsJson = False,
) -> None:
    """List what administrators ordered, when and why; the newest first."""
    Office(as_json, settings).tell(lambda client: client.log(cursor, limit))


class Deed(StrEnum):
    """What can be done with the settings."""

    SHOW = "show"


@for_administrators
def config(
    deed: Annotated[
        Deed, typer.Argument(help="What to do with them.")
    ] = Deed.SHOW,
    *,
    settings: Mine,
    as_json: AsJson = False,
) -> None:
    """Show the settings that the API runs with, without its passwords."""
    del deed  # there is one
    Office(as_json, settings).tell(lambda client: client.config())


MOVES = {
    "requeue": "Judge a rejected or infra_failed submission anew.",
    "invalidate": "Take a score out of the ranking for good.",
    "quarantine": "Take a score out of the ranking until it is released.",
    "release": "Put a quarantined score back into the ranking.",
}


def _mover(order: str) -> Callable[..., None]:
    @for_administrators
    def command(
        submission_id: Submission,
        *,
        reason: Reason,
        settings: Mine,
        as_json: AsJson = False,
    ) -> None:
        Office(as_json, settings).tell(
            lambda client: client.move_submission(submission_id, order, reason)
        )

    return command


def join(admin: typer.Typer) -> None:
    """Add these commands to the group `quasar admin`."""
    for name, deed in (
        ("open-round", open_round),
        ("close-round", close_round),
    ):
        admin.command(name)(deed)
    for name, sentence in MOVES.items():
        admin.command(name, help=sentence)(_mover(name))
    for deed in (ban, unban, bans, log, config):
        admin.command(deed.__name__)(deed)
