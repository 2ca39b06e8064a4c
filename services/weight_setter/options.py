"""The options that every command of the weight setter has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from pydantic import ValidationError
from quasar_core.errors import QuasarError

from services.weight_setter.settings import WeightSetterSettings

AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output.")
]


def _given(
    *,
    api_url: Annotated[
        str | None, typer.Option(help="The API of the competition.")
    ] = None,
    chain_url: Annotated[
        str | None,
        typer.Option(
            "--chain-url",
            "--network",
            help="finney, test, a ws:// URL, or local:///PATH.",
        ),
    ] = None,
    netuid: Annotated[int | None, typer.Option(help="The subnet.")] = None,
    wallet_name: Annotated[
        str | None, typer.Option(help="The validator's wallet.")
    ] = None,
    wallet_hotkey: Annotated[
        str | None, typer.Option(help="Its hotkey.")
    ] = None,
    wallet_path: Annotated[
        Path | None, typer.Option(help="The folder of the wallets.")
    ] = None,
) -> None:
    """What the options are: their names are those of the settings."""


@dataclass(frozen=True)
class Chosen:
    """What was given on the command line; None where nothing was."""

    given: Mapping[str, Any]

    def __call__(self) -> WeightSetterSettings:
        """The environment's settings, with what was given on top.

        Raises QuasarError where that makes no settings.
        """
        chosen = {n: v for n, v in self.given.items() if v is not None}
        try:
            return WeightSetterSettings(**chosen)
        except ValidationError as fault:
            first = fault.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise QuasarError(f"{where}: {first['msg']}") from fault


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """`command(settings=Chosen(...), ...)` as a command with these options."""
    shared = _parameters(_given)

    @wraps(command)
    def called(**given: Any) -> None:
        chosen = {each.name: given.pop(each.name) for each in shared}
        command(settings=Chosen(chosen), **given)

    own = [p for p in _parameters(command) if p.name != "settings"]
    parameters = [*shared, *own]
    called.__dict__["__signature__"] = inspect.Signature(parameters)
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    return called


def _parameters(function: Callable[..., None]) -> list[inspect.Parameter]:
    """The parameters with their annotations resolved."""
    hints = get_type_hints(function, include_extras=True)
    return [
        each.replace(annotation=hints[each.name])
        for each in inspect.signature(function).parameters.values()
    ]
