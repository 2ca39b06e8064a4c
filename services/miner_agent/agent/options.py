"""The options of `quasar miner run` that stand for settings."""

from __future__ import annotations

from typing import Annotated

import typer
from quasar_core.options import (
    ApiUrl,
    ChainUrl,
    Netuid,
    WalletHotkey,
    WalletName,
    WalletPath,
)


def agent(
    *,
    max_tries: Annotated[
        int | None, typer.Option(help="Changes to try at most.")
    ] = None,
    max_hours: Annotated[
        float | None, typer.Option(help="Hours to work at most.")
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            help="What the model's calls may cost at most, in the currency"
            " of QUASAR_MODEL_PROMPT_PRICE and _REPLY_PRICE."
        ),
    ] = None,
    quiet_hours: Annotated[
        str | None,
        typer.Option(help="When nothing is run: 22:00-07:30, local time."),
    ] = None,
    min_gain: Annotated[
        float | None,
        typer.Option(
            help="By how much a change must be faster, beyond doubt: 0.01 is"
            " 1 %. Else half of the round's `min_improvement`."
        ),
    ] = None,
    model_url: Annotated[
        str | None,
        typer.Option(help="With --proposer model: http.../v1 and the like."),
    ] = None,
    model_name: Annotated[
        str | None, typer.Option(help="Which of the endpoint's models.")
    ] = None,
    api_url: ApiUrl = None,
    chain_url: ChainUrl = None,
    netuid: Netuid = None,
    wallet_name: WalletName = None,
    wallet_hotkey: WalletHotkey = None,
    wallet_path: WalletPath = None,
) -> None:
    """The options; named as the settings are."""
