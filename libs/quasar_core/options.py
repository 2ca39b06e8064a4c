"""Options: settings that a command also takes on its own line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from quasar_core.errors import QuasarError
from quasar_core.settings import CoreSettings

S = TypeVar("S", bound=CoreSettings)


class OptionFault(QuasarError):
    """What was given, or lies in the environment, makes no settings."""


AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output.")
]
ApiUrl = Annotated[
    str | None, typer.Option(help="The API of the competition.")
]
ChainUrl = Annotated[
    str | None,
    typer.Option(
        "--chain-url",
        "--network",
        help="finney, test, a ws:// URL, or local:///PATH.",
    ),
]
Netuid = Annotated[int | None, typer.Option(help="The subnet.")]
WalletName = Annotated[str | None, typer.Option(help="Your wallet.")]
WalletHotkey = Annotated[str | None, typer.Option(help="Its hotkey.")]
WalletPath = Annotated[
    Path | None, typer.Option(help="The folder of the wallets.")
]


def caller(
    *,
    api_url: ApiUrl = None,
    wallet_name: WalletName = None,
    wallet_hotkey: WalletHotkey = None,
    wallet_path: WalletPath = None,
) -> None:
    """The options of who talks to the API; named as the settings are."""


def neuron(
    *,
    api_url: ApiUrl = None,
    chain_url: ChainUrl = None,
    netuid: Netuid = None,
    wallet_name: WalletName = None,
    wallet_hotkey: WalletHotkey = None,
    wallet_path: WalletPath = None,
) -> None:
    """The options of who stands on a chain, too."""


@dataclass(frozen=True)
class Chosen(Generic[S]):
    """What was given on the command line; None where nothing was."""

    kind: type[S]
    given: Mapping[str, Any]

    def __call__(self) -> S:
        """The environment's settings, with what was given on top.

        Raises OptionFault where that makes no settings.
        """
        chosen = {n: v for n, v in self.given.items() if v is not None}
        try:
            return self.kind(**chosen)
        except ValidationError as fault:
            first = fault.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise OptionFault(f"{where}: {first['msg']}") from fault
        except SettingsError as fault:
            raise OptionFault(f"{fault}: it is no JSON") from fault

    def with_more(self, **given: Any) -> Chosen[S]:
        """The same, with more given."""
        return Chosen(self.kind, {**self.given, **given})


def with_settings(
    kind: type[S], options: Callable[..., None] = caller
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: `command(settings=Chosen(...), ...)` with these options.

    `options` is a function whose parameters they are: `caller`, `neuron`,
    or one's own.
    """
    shared = _parameters(options)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**given: Any) -> None:
            chosen = {each.name: given.pop(each.name) for each in shared}
            command(settings=Chosen(kind, chosen), **given)

        own = [p for p in _parameters(command) if p.name != "settings"]
        parameters = [*own, *shared]
        called.__dict__["__signature__"] = inspect.Signature(
            [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
        )
        called.__annotations__ = {p.name: p.annotation for p in parameters}
        return called

    return decorate


def _parameters(function: Callable[..., None]) -> list[inspect.Parameter]:
    """The parameters with their annotations resolved."""
    hints = get_type_hints(function, include_extras=True)
    return [
        each.replace(annotation=hints[each.name])
        for each in inspect.signature(function).parameters.values()
    ]
