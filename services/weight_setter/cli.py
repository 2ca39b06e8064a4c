"""`quasar weights`: run the weight setter, or see what it would set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from quasar_core.errors import QuasarError

from services.weight_setter import app
from services.weight_setter.decision import Decision
from services.weight_setter.setter import Skip
from services.weight_setter.settings import WeightSetterSettings

USAGE_FAULT = 2
_FINE = frozenset({"set", "skipped", "dry_run"})
_OPTIONS = (
    "api_url",
    "chain_url",
    "netuid",
    "wallet_name",
    "wallet_hotkey",
    "wallet_path",
)

weights = typer.Typer(
    name="weights",
    help="Set a validator's weights as the last final round says.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

ApiUrl = Annotated[
    str | None, typer.Option(help="The API of the competition.")
]
ChainUrl = Annotated[
    str | None,
    typer.Option(help="finney, test, a ws:// URL, or local:///PATH."),
]
Netuid = Annotated[int | None, typer.Option(help="The subnet.")]
WalletName = Annotated[
    str | None, typer.Option(help="The validator's wallet.")
]
WalletHotkey = Annotated[str | None, typer.Option(help="Its hotkey.")]
WalletPath = Annotated[
    Path | None, typer.Option(help="The folder of the wallets.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Compute and say; set and report nothing."),
]


@weights.command("run")
def run_command(
    *,
    api_url: ApiUrl = None,
    chain_url: ChainUrl = None,
    netuid: Netuid = None,
    wallet_name: WalletName = None,
    wallet_hotkey: WalletHotkey = None,
    wallet_path: WalletPath = None,
    dry_run: DryRun = False,
    once: Annotated[
        bool, typer.Option("--once", help="One turn, then end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set weights each tempo, and soon after a round becomes final.

    Reads the frozen standings from the API, resolves hotkeys to uids by
    the metagraph of the moment, sets them with the wallet's hotkey, and
    reports what it did. Any validator can run one; it needs the API's URL
    and a wallet, no queue and no database. Ends on SIGTERM or Ctrl-C.
    """
    try:
        settings = _settings(locals())
        if not once:
            app.serve(settings, dry_run=dry_run)
            return
        app.hush()
        with app.opened(settings, dry_run=dry_run) as opened:
            report = opened.setter.turn()
    except QuasarError as fault:
        _give_up(str(fault), as_json)
    if report is None:
        typer.echo("{}" if as_json else "nothing is due")
    elif as_json:
        typer.echo(report.model_dump_json())
    else:
        typer.echo(f"{report.outcome}: {report.reason or report.weights}")
    raise typer.Exit(
        0 if report is None or report.outcome in _FINE else USAGE_FAULT
    )


@weights.command("show")
def show_command(
    *,
    api_url: ApiUrl = None,
    chain_url: ChainUrl = None,
    netuid: Netuid = None,
    wallet_name: WalletName = None,
    wallet_hotkey: WalletHotkey = None,
    wallet_path: WalletPath = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show the weights that stand on chain for this validator.

    With --dry-run: what would be set now, and why.
    """
    try:
        settings = _settings(locals())
        app.hush()
        with app.opened(settings, dry_run=True) as opened:
            shown = _would_set(opened) if dry_run else _stands(opened)
    except QuasarError as fault:
        _give_up(str(fault), as_json)
    except Skip as skip:
        _give_up(f"nothing would be set: {skip.reason}", as_json)
    if as_json:
        typer.echo(json.dumps(shown))
        return
    typer.echo(shown["title"])
    for row in shown["weights"]:
        typer.echo(
            f"  uid {row['uid']:>5}  {row['share']:8.4%}  {row['hotkey']}"
        )
    for hotkey, why in shown.get("dropped", {}).items():
        typer.echo(f"  dropped    {hotkey}: {why}")


def _stands(opened: app.App) -> dict[str, Any]:
    standing = opened.chain.weights_of(opened.hotkey)
    metagraph = opened.chain.metagraph()
    names = {neuron.uid: neuron.hotkey for neuron in metagraph.neurons}
    title = f"on chain at block {metagraph.block} for {opened.hotkey}:"
    if not standing:
        title = f"no weights stand on chain for {opened.hotkey}"
    rows = [
        {"uid": uid, "hotkey": names.get(uid), "share": share}
        for uid, share in sorted(standing.items())
    ]
    return {"title": title, "weights": rows}


def _would_set(opened: app.App) -> dict[str, Any]:
    decision: Decision = opened.setter.plan()
    title = f"by the standings of round {decision.round_number}:"
    if decision.reason:
        title += f" {decision.reason}"
    rows = [
        {"uid": uid, "hotkey": decision.hotkeys[uid], "share": share}
        for uid, share in sorted(decision.shares.items())
    ]
    return {
        "title": title,
        "round_number": decision.round_number,
        "weights": rows,
        "dropped": dict(decision.dropped),
    }


def _settings(given: dict[str, Any]) -> WeightSetterSettings:
    """The environment's settings, with what was given on top."""
    chosen = {
        name: given[name] for name in _OPTIONS if given[name] is not None
    }
    try:
        return WeightSetterSettings(**chosen)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise QuasarError(f"{where}: {first['msg']}") from fault


def _give_up(message: str, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"error": {"message": message}}))
    else:
        typer.echo(f"error: {message}", err=True)
    raise typer.Exit(USAGE_FAULT)
